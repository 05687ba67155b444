//! The native engine of @jstime/serve: sockets, HTTP/1.1 and files on I/O
//! threads, so that JavaScript only sees complete requests. What it exports is
//! described in [`abi`].

pub mod abi;
pub mod bind;
pub mod bus;
pub mod doorbell;
pub mod error_name;
pub mod fault;
pub mod ffi;
pub mod files;
pub mod http;
pub mod io;
pub mod lent;
pub mod listen_plan;
pub mod metrics;
pub mod peer_certificates;
pub mod prometheus;
pub mod region;
pub mod resolve;
pub mod ring;
pub mod runtime;
pub mod spare_contents;
pub mod static_table;
pub mod sys;
pub mod tcp_target;
pub mod tcp_times;
pub mod tls;
pub mod topic_commands;
pub mod waiting_messages;
pub mod websocket;
