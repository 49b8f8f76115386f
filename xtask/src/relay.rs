//! What stands between a browser and a server on loopback, in bytes: a wire with a delay, and a hand that withholds the
//! server's answers until the client has nothing more to say.
//!
//! Neither knows what a WebSocket message is. The withholding one lets the WebSocket's own handshake (RFC 6455 §4) pass.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tiny_http::{Response, Server};

/// How long both sides must have been silent before the client counts as waiting. What a client sends in one turn leaves
/// within a millisecond; a machine that is busy may take longer.
const SILENCE: Duration = Duration::from_millis(250);
/// How long the script is kept waiting for that at a time.
const PATIENCE: Duration = Duration::from_millis(500);

/// A port of loopback that leads to `server`, with `each_way` on top of how long a byte takes.
pub(crate) fn delay(server: SocketAddr, each_way: Duration) -> Result<SocketAddr> {
    listen(server, move |client, server| {
        let (client_too, server_too) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || carry(client, server_too, each_way));
        thread::spawn(move || carry(server, client_too, each_way));
        Ok(())
    })
}

/// Reads on at once, so that what is under way delays nothing behind it.
fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, pieces) = mpsc::channel::<(Instant, Vec<u8>)>();
    let writer = thread::spawn(move || {
        for (due, bytes) in pieces {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let bytes = buffer.get(..length).unwrap_or_default().to_vec();
        if sender.send((Instant::now() + delay, bytes)).is_err() {
            break;
        }
    }
    drop(sender);
    let _ = writer.join();
}

/// The hand. A script moves it by HTTP: `/withhold`, `/quiet`, `/release`, `/pass`, `/cut`.
pub(crate) struct Withholding {
    /// Leads to the server.
    pub(crate) address: SocketAddr,
    /// Where the script asks.
    pub(crate) control: String,
    server: Arc<Server>,
}

impl Drop for Withholding {
    fn drop(&mut self) {
        self.server.unblock();
    }
}

/// What there is to say of the connection.
#[derive(Debug)]
struct Hand {
    withholds: bool,
    held: Vec<u8>,
    /// Towards the client of the present connection.
    client: Option<TcpStream>,
    /// Its number.
    connection: u32,
    /// When anything was last heard from either side, or let go.
    heard: Instant,
    /// How often the client has been waited for since `/withhold`.
    releases: u32,
}

type Shared = Arc<(Mutex<Hand>, Condvar)>;

/// A port of loopback that leads to `server` through a hand.
pub(crate) fn withhold(server: SocketAddr) -> Result<Withholding> {
    let hand = Hand {
        withholds: false,
        held: Vec::new(),
        client: None,
        connection: 0,
        heard: Instant::now(),
        releases: 0,
    };
    let shared: Shared = Arc::new((Mutex::new(hand), Condvar::new()));
    let of_pumps = Arc::clone(&shared);
    let address = listen(server, move |client, server| {
        let (client_too, server_too) = (client.try_clone()?, server.try_clone()?);
        let number = {
            let mut hand = lock(&of_pumps.0);
            hand.held.clear();
            hand.client = Some(client_too.try_clone()?);
            hand.connection += 1;
            hand.connection
        };
        let (up, down) = (Arc::clone(&of_pumps), Arc::clone(&of_pumps));
        thread::spawn(move || from_client(client, server_too, &up));
        thread::spawn(move || from_server(server, client_too, number, &down));
        Ok(())
    })?;
    let server = Server::http((Ipv4Addr::LOCALHOST, 0)).map_err(|error| anyhow::anyhow!(error))?;
    let port = server.server_addr().to_ip().context("the control has no port")?.port();
    let server = Arc::new(server);
    let asked = Arc::clone(&server);
    thread::spawn(move || {
        while let Ok(request) = asked.recv() {
            let number = control(&shared, request.url());
            let _ = request.respond(Response::from_string(number.to_string()));
        }
    });
    Ok(Withholding {
        address,
        control: format!("http://127.0.0.1:{port}"),
        server,
    })
}

/// What the script asks for; the number that answers it.
fn control(shared: &Shared, path: &str) -> usize {
    let (mutex, changed) = &**shared;
    let mut hand = lock(mutex);
    match path {
        "/withhold" => {
            hand.withholds = true;
            hand.releases = 0;
            0
        }
        "/pass" => {
            hand.withholds = false;
            hand.let_go();
            0
        }
        // How much is withheld, once the client has fallen silent; none if that takes too long.
        "/quiet" => {
            let begun = Instant::now();
            while begun.elapsed() < PATIENCE {
                let silent = hand.heard.elapsed();
                if !hand.held.is_empty() && silent >= SILENCE {
                    return hand.held.len();
                }
                let next = if hand.held.is_empty() {
                    PATIENCE
                } else {
                    SILENCE.saturating_sub(silent)
                };
                let wait = changed.wait_timeout(hand, next.max(Duration::from_millis(1)));
                hand = wait.unwrap_or_else(PoisonError::into_inner).0;
            }
            0
        }
        // The connection is lost.
        "/cut" => {
            if let Some(client) = hand.client.take() {
                let _ = client.shutdown(Shutdown::Both);
            }
            0
        }
        // How many times it has been let go.
        "/release" => {
            hand.releases += 1;
            hand.let_go();
            usize::try_from(hand.releases).unwrap_or(usize::MAX)
        }
        _ => 0,
    }
}

impl Hand {
    fn let_go(&mut self) {
        let held = std::mem::take(&mut self.held);
        if let Some(client) = &mut self.client {
            // A client that has gone away is told nothing.
            let _ = client.write_all(&held);
        }
        self.heard = Instant::now();
    }
}

fn from_client(mut client: TcpStream, mut server: TcpStream, shared: &Shared) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        let (mutex, changed) = &**shared;
        lock(mutex).heard = Instant::now();
        changed.notify_all();
        if server.write_all(buffer.get(..length).unwrap_or_default()).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
}

fn from_server(mut server: TcpStream, mut client: TcpStream, number: u32, shared: &Shared) {
    let mut buffer = [0; 16 * 1024];
    // What has come of the answer to the handshake, until that is whole.
    let mut head: Option<Vec<u8>> = Some(Vec::new());
    let (mutex, changed) = &**shared;
    while let Ok(length @ 1..) = server.read(&mut buffer) {
        let mut bytes = buffer.get(..length).unwrap_or_default();
        if let Some(seen) = &mut head {
            let before = seen.len();
            seen.extend_from_slice(bytes);
            let end = seen.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
            let (free, rest) = bytes.split_at(end.map_or(length, |end| end - before));
            bytes = rest;
            let _ = client.write_all(free);
            if end.is_some() {
                head = None;
            }
        }
        let mut hand = lock(mutex);
        // The last words of a connection that another one has followed are nobody's.
        if hand.connection == number && !bytes.is_empty() {
            hand.held.extend_from_slice(bytes);
            hand.heard = Instant::now();
            if !hand.withholds {
                hand.let_go();
            }
            changed.notify_all();
        }
    }
    let mut hand = lock(mutex);
    if hand.connection == number {
        hand.let_go();
    }
    let _ = client.shutdown(Shutdown::Write);
}

/// Listens on a free port, and hands on each pair of a client and a connection to `server`. It ends with the command.
fn listen(
    server: SocketAddr,
    mut pair: impl FnMut(TcpStream, TcpStream) -> Result<()> + Send + 'static,
) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port for the relay")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // Where there's no server there's no client either.
            if let Ok(server) = TcpStream::connect(server) {
                let _ = client.set_nodelay(true);
                let _ = server.set_nodelay(true);
                let _ = pair(client, server);
            }
        }
    });
    Ok(address)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A server that greets as a WebSocket server does, then says each line back.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                stream.write_all(b"HTTP/1.1 101\r\n\r\n").unwrap();
                let mut too = stream.try_clone().unwrap();
                thread::spawn(move || std::io::copy(&mut stream, &mut too));
            }
        });
        address
    }

    fn exactly(stream: &mut TcpStream, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    fn ask(control: &str, path: &str) -> usize {
        let address = control.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text.rsplit("\r\n\r\n").next().unwrap().trim().parse().unwrap()
    }

    #[test]
    fn an_answer_is_withheld_until_it_is_let_go() {
        let relay = withhold(echo()).unwrap();
        assert_eq!(ask(&relay.control, "/withhold"), 0);
        let mut client = TcpStream::connect(relay.address).unwrap();
        assert_eq!(
            exactly(&mut client, 16),
            b"HTTP/1.1 101\r\n\r\n",
            "the handshake passes"
        );
        client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        client.write_all(b"one").unwrap();
        assert!(client.read(&mut [0]).is_err(), "withheld");
        client.write_all(b"two").unwrap();
        assert_eq!(ask(&relay.control, "/quiet"), 6, "all that was said in one turn");
        assert_eq!(ask(&relay.control, "/release"), 1);
        client.set_read_timeout(None).unwrap();
        assert_eq!(exactly(&mut client, 6), b"onetwo");
        assert_eq!(ask(&relay.control, "/quiet"), 0, "nobody waits for anything");
        client.write_all(b"six").unwrap();
        assert_eq!(ask(&relay.control, "/pass"), 0);
        assert_eq!(exactly(&mut client, 3), b"six");
        assert_eq!(ask(&relay.control, "/cut"), 0);
        assert_eq!(client.read(&mut [0]).unwrap(), 0, "the end");
    }

    #[test]
    fn a_delay_is_added_each_way_and_once() {
        let each_way = Duration::from_millis(40);
        let mut client = TcpStream::connect(delay(echo(), each_way).unwrap()).unwrap();
        exactly(&mut client, 16);
        let begun = Instant::now();
        client.write_all(b"one").unwrap();
        client.write_all(b"two").unwrap();
        assert_eq!(exactly(&mut client, 6), b"onetwo");
        assert!(begun.elapsed() >= 2 * each_way, "{:?}", begun.elapsed());
    }
}
