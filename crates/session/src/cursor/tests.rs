use super::*;

fn row(number: usize) -> Vec<u8> {
    vec![b'a' + u8::try_from(number % 26).unwrap(); number * 7 % 1000]
}

/// Puts rows aside and takes them again.
async fn check(rows: usize, room: Room, spills: bool) {
    let mut spool = Spool::new(room);
    for number in 0..rows {
        spool.push(&row(number)).await.unwrap();
    }
    let mut cursor = spool.finish().await.unwrap();
    assert_eq!(cursor.spilled() > 0, spills, "{room:?}");
    assert!(cursor.memory() <= room.memory + 512 * 1024);
    for number in 0..rows {
        assert_eq!(cursor.next().await.unwrap().as_deref(), Some(&*row(number)), "row {number}");
    }
    assert_eq!(cursor.next().await.unwrap(), None);
    assert_eq!(cursor.next().await.unwrap(), None);
}

#[tokio::test]
async fn rows_come_back_in_order() {
    const FILE: usize = 1 << 30;
    check(0, Room { memory: 0, file: FILE, limit: FILE }, false).await;
    check(100, Room { memory: 1 << 20, file: FILE, limit: FILE }, false).await;
    check(5000, Room { memory: 10_000, file: FILE, limit: FILE }, true).await;
    check(5000, Room { memory: 0, file: FILE, limit: FILE }, true).await;
    // What little is too much for the memory needs no file yet.
    check(100, Room { memory: 1000, file: FILE, limit: FILE }, false).await;
}

#[tokio::test]
async fn a_full_spool_says_so() {
    let mut spool = Spool::new(Room { memory: 100, file: 500, limit: 700 });
    let mut pushed = 0;
    let error = loop {
        match spool.push(&[0; 46]).await {
            Ok(()) => pushed += 1,
            Err(error) => break error.to_mysql(),
        }
    };
    assert_eq!((pushed, error.number), (12, 3170));
    assert!(error.message.contains("700 bytes"), "{}", error.message);
}
