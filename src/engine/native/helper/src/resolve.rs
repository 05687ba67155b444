//! Looks host names up, on threads of its own: the system takes its time.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Mutex;
use std::thread::Builder;

use crate::error_name::NAME_NOT_FOUND;
use crate::runtime::lock;
use crate::sys;

/// Names that are looked up at a time; the others wait.
const MAX_THREADS: usize = 8;

type Then = Box<dyn FnOnce(Result<Vec<SocketAddr>, i32>) + Send>;

struct Job {
    host: String,
    port: u16,
    then: Then,
}

#[derive(Default)]
struct Pool {
    jobs: VecDeque<Job>,
    threads: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    jobs: VecDeque::new(),
    threads: 0,
});

/// Calls `then` with the addresses of a host, or an error number; from another
/// thread, unless there cannot be one.
pub fn resolve(
    host: String,
    port: u16,
    then: impl FnOnce(Result<Vec<SocketAddr>, i32>) + Send + 'static,
) {
    let then = Box::new(then);
    let job = Job { host, port, then };
    {
        let mut pool = lock(&POOL);
        pool.jobs.push_back(job);
        if pool.threads >= MAX_THREADS {
            return;
        }
        pool.threads += 1;
    }
    let spawned = Builder::new().name("jstime-resolve".to_owned()).spawn(work);
    if spawned.is_ok() {
        return;
    }
    let mut pool = lock(&POOL);
    pool.threads -= 1;
    if pool.threads > 0 {
        return;
    }
    // Nobody else would ever do it.
    let jobs = std::mem::take(&mut pool.jobs);
    drop(pool);
    for job in jobs {
        (job.then)(Err(libc::EAGAIN));
    }
}

/// Looks names up until there are none.
fn work() {
    sys::block_signals();
    loop {
        let job = {
            let mut pool = lock(&POOL);
            match pool.jobs.pop_front() {
                Some(job) => job,
                None => {
                    pool.threads -= 1;
                    return;
                }
            }
        };
        (job.then)(look_up(&job.host, job.port));
    }
}

fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, i32> {
    match (host, port).to_socket_addrs() {
        Ok(addresses) => Ok(interleave(addresses.collect())),
        Err(error) => Err(number(&error)),
    }
}

fn number(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(NAME_NOT_FOUND)
}

/// The families in turn, IPv6 first; each in the order of the system (RFC 8305,
/// section 4).
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let count = addresses.len();
    let (mut first, mut second): (VecDeque<_>, VecDeque<_>) =
        addresses.into_iter().partition(SocketAddr::is_ipv6);
    let mut sorted: Vec<SocketAddr> = Vec::with_capacity(count);
    while sorted.len() < count {
        sorted.extend(first.pop_front());
        std::mem::swap(&mut first, &mut second);
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    fn of(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns() {
        let given = of(&["1.1.1.1:1", "1.1.1.2:1", "1.1.1.3:1", "[::1]:1", "[::2]:1"]);
        let wanted = of(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "1.1.1.3:1"]);
        assert_eq!(interleave(given), wanted);
        assert_eq!(interleave(of(&["1.1.1.1:1"])), of(&["1.1.1.1:1"]));
        assert_eq!(interleave(Vec::new()), Vec::new());
    }

    #[test]
    fn more_names_than_threads_are_all_looked_up() {
        let (sender, results) = channel();
        for port in 0..50 {
            let sender = sender.clone();
            resolve("127.0.0.1".to_owned(), port, move |result| {
                sender.send(result.unwrap()[0].port()).unwrap();
            });
        }
        let mut ports: Vec<u16> = (0..50).map(|_| results.recv().unwrap()).collect();
        ports.sort_unstable();
        assert_eq!(ports, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn a_name_without_address_is_told() {
        let (sender, results) = channel();
        resolve("nothing.invalid".to_owned(), 1, move |result| {
            sender.send(result).unwrap();
        });
        assert!(results.recv().unwrap().is_err());
    }
}
