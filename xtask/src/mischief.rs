//! A wire between a browser and a server on loopback that misbehaves when it is told to: it cuts, resets, freezes, delays,
//! and swallows.
//!
//! It carries bytes and knows nothing of what they mean. Each connection has a thread that owns both of its sockets, which
//! is what makes a reset one: no copy of a socket is left to say goodbye in order.
//!
//! - `/cut` ends every connection in order (FIN, both sides); what was under way in it is lost.
//! - `/reset` ends every connection at once (RST, both sides).
//! - `/freeze` stops every byte, of new connections too; all sockets stay open. `/thaw` lets go.
//! - `/hole` stops every byte of the present connections for good; all sockets stay open, and neither side is told of
//!   anything, not even of the other's end. New connections are carried.
//! - `/delay/MS` has each byte come that much later, each way. Nothing is overtaken.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::set_socket_linger;

use crate::control::Control;

/// How long after it is told a connection may take to notice.
const TICK: Duration = Duration::from_millis(2);

/// A wire, until it is dropped. Connections that are under way end with the command.
pub(crate) struct Mischief {
    /// Leads to the server.
    pub(crate) address: SocketAddr,
    /// Where a script asks.
    pub(crate) control: Control,
}

/// What all connections look at.
#[derive(Debug, Default)]
struct Orders {
    frozen: bool,
    delay: Duration,
    /// How often each has been told.
    ends: Ends,
    /// Both ends of the connections that were swallowed.
    holes: Vec<(TcpStream, TcpStream)>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Ends {
    cuts: u32,
    resets: u32,
    holes: u32,
}

type Shared = Arc<Mutex<Orders>>;

impl Mischief {
    /// A port of loopback that leads to `server`, which need not run all the time.
    pub(crate) fn start(server: SocketAddr) -> Result<Self> {
        let shared = Shared::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port for the wire")?;
        let address = listener.local_addr()?;
        let of_links = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&of_links);
                let ends = lock(&shared).ends;
                // Where there's no server there's no client either.
                if let Some(server) = reach(server) {
                    thread::spawn(move || Link::carry(client, server, ends, &shared));
                }
            }
        });
        let control = Control::start(move |path| told(&mut lock(&shared), path).map(|()| String::new()))?;
        Ok(Self { address, control })
    }
}

fn told(orders: &mut Orders, path: &str) -> Result<()> {
    match path {
        "/cut" => orders.ends.cuts += 1,
        "/reset" => orders.ends.resets += 1,
        "/hole" => orders.ends.holes += 1,
        "/freeze" => orders.frozen = true,
        "/thaw" => orders.frozen = false,
        _ => match path.strip_prefix("/delay/").map(str::parse) {
            Some(Ok(ms)) => orders.delay = Duration::from_millis(ms),
            _ => bail!("nothing is known of {path}"),
        },
    }
    Ok(())
}

fn reach(server: SocketAddr) -> Option<TcpStream> {
    let stream = TcpStream::connect(server).ok()?;
    // Where nobody listens on a port that the kernel hands out, a socket may come to talk to itself.
    (stream.local_addr().ok()? != server).then_some(stream)
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Way {
    /// What is under way: when it is due.
    queue: VecDeque<(Instant, Vec<u8>)>,
    /// The sender has finished.
    ended: bool,
    /// And the other side has been told.
    told: bool,
}

struct Link {
    client: TcpStream,
    server: TcpStream,
    up: Way,
    down: Way,
}

impl Link {
    fn carry(client: TcpStream, server: TcpStream, begun: Ends, shared: &Shared) {
        let mut link = Self {
            client,
            server,
            up: Way::default(),
            down: Way::default(),
        };
        for stream in [&link.client, &link.server] {
            if stream.set_nodelay(true).and(stream.set_nonblocking(true)).is_err() {
                return;
            }
        }
        loop {
            let (frozen, delay) = {
                let mut orders = lock(shared);
                if orders.ends.holes != begun.holes {
                    // Kept, so that neither side sees an end of it.
                    orders.holes.push((link.client, link.server));
                    return;
                }
                if orders.ends.resets != begun.resets {
                    return link.reset();
                }
                if orders.ends.cuts != begun.cuts {
                    return link.cut();
                }
                (orders.frozen, orders.delay)
            };
            if frozen {
                thread::sleep(TICK);
                continue;
            }
            let moved = move_on(&mut link.client, &mut link.server, &mut link.up, delay)
                && move_on(&mut link.server, &mut link.client, &mut link.down, delay);
            if !moved || (link.up.told && link.down.told) {
                return link.reset_unless_ended();
            }
            link.wait();
        }
    }

    /// Until there is something to read, or to look at the orders.
    fn wait(&self) {
        let flags = |way: &Way| if way.ended { PollFlags::empty() } else { PollFlags::IN };
        let mut fds = [
            PollFd::from_borrowed_fd(self.client.as_fd(), flags(&self.up)),
            PollFd::from_borrowed_fd(self.server.as_fd(), flags(&self.down)),
        ];
        if self.up.ended || self.down.ended {
            // The end of one that has ended would be told again and again.
            return thread::sleep(TICK);
        }
        let tick = Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(TICK.subsec_nanos()),
        };
        let _ = poll(&mut fds, Some(&tick));
    }

    fn cut(self) {
        for stream in [&self.client, &self.server] {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // What is still on its way in must find a socket: without one the kernel answers by a reset.
        thread::sleep(Duration::from_millis(200));
    }

    fn reset(self) {
        for stream in [&self.client, &self.server] {
            let _ = set_socket_linger(stream, Some(Duration::ZERO));
        }
    }

    /// What one side ends without a word ends for the other as well.
    fn reset_unless_ended(self) {
        if !(self.up.told && self.down.told) {
            self.reset();
        }
    }
}

/// Reads what there is and writes what is due; false once the connection is broken.
fn move_on(from: &mut TcpStream, to: &mut TcpStream, way: &mut Way, delay: Duration) -> bool {
    let mut buffer = [0; 16 * 1024];
    while !way.ended {
        match from.read(&mut buffer) {
            Ok(0) => way.ended = true,
            Ok(length) => {
                let due = Instant::now() + delay;
                let due = way.queue.back().map_or(due, |(last, _)| due.max(*last));
                let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                way.queue.push_back((due, bytes));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    while let Some((due, bytes)) = way.queue.front_mut() {
        if *due > Instant::now() {
            return true;
        }
        match to.write(bytes) {
            Ok(length) if length == bytes.len() => drop(way.queue.pop_front()),
            Ok(length) => drop(bytes.drain(..length)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    if way.ended && !way.told {
        way.told = true;
        let _ = to.shutdown(Shutdown::Write);
    }
    true
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A server that says everything back.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut too = stream.try_clone().unwrap();
                thread::spawn(move || {
                    let _ = std::io::copy(&mut stream, &mut too);
                    let _ = too.shutdown(Shutdown::Write);
                });
            }
        });
        address
    }

    fn tell(wire: &Mischief, path: &str) {
        let mut stream = TcpStream::connect(wire.control.url().strip_prefix("http://").unwrap()).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    }

    fn client(wire: &Mischief) -> TcpStream {
        let mut client = TcpStream::connect(wire.address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        says(&mut client, b"hello");
        hears(&mut client, b"hello");
        client
    }

    fn says(client: &mut TcpStream, bytes: &[u8]) {
        client.write_all(bytes).unwrap();
    }

    fn hears(client: &mut TcpStream, wanted: &[u8]) {
        let mut bytes = vec![0; wanted.len()];
        client.read_exact(&mut bytes).unwrap();
        assert_eq!(bytes, wanted);
    }

    fn hears_nothing(client: &mut TcpStream) {
        let before = client.read_timeout().unwrap();
        client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let kind = client.read(&mut [0]).unwrap_err().kind();
        assert!(
            matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut),
            "{kind:?} in place of silence"
        );
        client.set_read_timeout(before).unwrap();
    }

    #[test]
    fn a_cut_is_an_end_and_a_reset_an_error() {
        let wire = Mischief::start(echo()).unwrap();
        let mut one = client(&wire);
        tell(&wire, "/cut");
        assert_eq!(one.read(&mut [0]).unwrap(), 0);
        let mut two = client(&wire);
        tell(&wire, "/reset");
        assert_eq!(two.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
        client(&wire);
    }

    #[test]
    fn what_is_frozen_comes_after_the_thaw() {
        let wire = Mischief::start(echo()).unwrap();
        let mut one = client(&wire);
        tell(&wire, "/freeze");
        says(&mut one, b"one");
        let mut two = TcpStream::connect(wire.address).unwrap();
        says(&mut two, b"two");
        hears_nothing(&mut one);
        hears_nothing(&mut two);
        tell(&wire, "/thaw");
        hears(&mut one, b"one");
        hears(&mut two, b"two");
    }

    #[test]
    fn a_hole_stays_open_and_says_nothing_for_good() {
        let wire = Mischief::start(echo()).unwrap();
        let mut one = client(&wire);
        tell(&wire, "/hole");
        // Told within a tick.
        thread::sleep(10 * TICK);
        says(&mut one, b"one");
        hears_nothing(&mut one);
        one.shutdown(Shutdown::Write).unwrap();
        hears_nothing(&mut one);
        client(&wire);
        tell(&wire, "/cut");
        hears_nothing(&mut one);
    }

    #[test]
    fn what_is_much_arrives_whole() {
        let wire = Mischief::start(echo()).unwrap();
        let mut one = client(&wire);
        let much: Vec<u8> = (0..3_000_000u32).flat_map(u32::to_be_bytes).collect();
        let mut reader = one.try_clone().unwrap();
        let wanted = much.clone();
        let read = thread::spawn(move || hears(&mut reader, &wanted));
        says(&mut one, &much);
        read.join().unwrap();
    }

    #[test]
    fn a_delay_is_each_ways_and_nothing_overtakes() {
        let wire = Mischief::start(echo()).unwrap();
        let mut one = client(&wire);
        tell(&wire, "/delay/40");
        let begun = Instant::now();
        says(&mut one, b"one");
        // Read, and under way.
        thread::sleep(10 * TICK);
        tell(&wire, "/delay/0");
        says(&mut one, b"two");
        hears(&mut one, b"onetwo");
        assert!(begun.elapsed() >= Duration::from_millis(40), "{:?}", begun.elapsed());
    }
}
