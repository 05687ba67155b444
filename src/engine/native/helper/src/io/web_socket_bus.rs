//! Sockets that are subscribed to topics of a bus.

use std::sync::Arc;

use super::connection::{Connection, Phase};
use super::context::Context;
use super::web_socket::Stage;
use crate::bus::{self, BusTopics};
use crate::ring::Command;

impl Connection {
    /// Whether this is a socket that is subscribed to topics there.
    pub(super) fn is_member(&self, topics: &Arc<BusTopics>) -> bool {
        let Phase::WebSocket(socket) = &self.phase else {
            return false;
        };
        let is_there = |bus| Arc::ptr_eq(bus, topics);
        socket.stage == Stage::Open && socket.bus.as_ref().is_some_and(is_there)
    }

    /// JavaScript has subscribed the socket to a topic of its server's bus.
    pub(super) fn subscribe(&mut self, cx: &Context, command: &Command<'_>) {
        let Some(topic) = topic_of(command) else {
            return;
        };
        let index = self.index;
        let Some(socket) = self.web_socket() else {
            return;
        };
        if socket.bus.is_none() {
            // None if the server has left the bus meanwhile.
            socket.bus = bus::topics_on(command.word(4), &cx.shared);
        }
        if let Some(topics) = &socket.bus {
            topics.subscribe(index, topic);
        }
    }

    /// JavaScript has ended a subscription.
    pub(super) fn unsubscribe(&mut self, command: &Command<'_>) {
        let index = self.index;
        let topics = self.web_socket().and_then(|socket| socket.bus.as_ref());
        if let (Some(topic), Some(topics)) = (topic_of(command), topics) {
            topics.unsubscribe(index, topic);
        }
    }
}

fn topic_of<'a>(command: &Command<'a>) -> Option<&'a [u8]> {
    command.bytes(6, 0, command.word(5) as usize)
}
