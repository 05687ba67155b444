use super::*;

fn message(frame: &SharedFrame) -> BusMessage {
    BusMessage {
        topic: b"t"[..].into(),
        kind: Kind::Binary,
        frame: frame.clone(),
        compress: false,
        policy: Policy::DropNewest,
        to: Vec::new(),
    }
}

#[test]
fn a_queue_is_bounded_until_messages_are_done() {
    let queue = BusQueue::default();
    let frame = Arc::new(vec![0; QUEUE_BYTES / 4]);
    assert_eq!(queue.push(message(&frame)), Pushed::First);
    assert_eq!(queue.push(message(&frame)), Pushed::Behind);
    assert_eq!(queue.push(message(&frame)), Pushed::Behind);
    // The fourth would be within, but for what messages take beside their bytes.
    assert_eq!(queue.push(message(&frame)), Pushed::Full);
    let first = queue.take().unwrap();
    assert_eq!(queue.push(message(&frame)), Pushed::Full);
    assert!(queue.done(&first));
    assert_eq!(queue.push(message(&frame)), Pushed::Behind);
    while let Some(message) = queue.take() {
        queue.done(&message);
    }
    // One that is too long for any queue still gets through.
    let long = Arc::new(vec![0; 2 * QUEUE_BYTES]);
    assert_eq!(queue.push(message(&long)), Pushed::First);
    assert_eq!(queue.push(message(&frame)), Pushed::Full);
    queue.close();
    assert!(queue.take().is_none());
    assert_eq!(queue.push(message(&frame)), Pushed::Gone);
}

#[test]
fn members_and_buses_disappear() {
    // No other test here has members.
    assert_eq!(len(), 0);
    let one = join(1, &[], b"a");
    let other = join(2, &[], b"a");
    let third = join(2, &[], b"b");
    assert_eq!(len(), 2);
    assert_eq!(count(one, b"t"), Some(0));
    assert!(leave(one));
    assert!(!leave(one));
    assert_eq!(count(one, b"t"), None);
    assert_eq!(publish(one, b"t", b"", 0), None);
    assert_eq!(
        publish(other, b"t", b"", 0),
        Some(Delivery {
            threads: 0,
            dropped: 0
        })
    );
    forget(2);
    assert_eq!(len(), 0);
    assert!(!leave(third));
    forget(2);
}
