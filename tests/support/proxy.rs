//! A TCP proxy on loopback between a node and its gateway, which does to connections what bad networks do.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::thread;
use std::time::Duration;

/// How soon a pump that can't get rid of its bytes looks whether its connection was cut.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What happens to bytes that go one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// They wait, and go on when this is over.
    Stall,
    /// They vanish, and so does all that follows them on their connection. Its end is not passed on.
    Swallow,
}

/// The way that bytes go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    ToGateway = 0,
    ToNode = 1,
}

/// See the module.
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    target: Mutex<SocketAddr>,
    /// By [`Way`].
    faults: Mutex<[Fault; 2]>,
    changed: Condvar,
    connections: Mutex<Vec<Weak<Connection>>>,
    is_over: AtomicBool,
}

/// A connection of a node and the one it is continued by.
struct Connection {
    /// The node's, the gateway's: what is read from the one at a [`Way`] goes that way.
    ends: [TcpStream; 2],
    is_cut: AtomicBool,
}

impl Proxy {
    /// One that passes everything on to `target`.
    pub(crate) fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target: Mutex::new(target),
            faults: Mutex::new([Fault::None; 2]),
            changed: Condvar::new(),
            connections: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.is_over.load(Ordering::Relaxed) {
                    return;
                }
                accepting.pass_on(stream.unwrap());
            }
        });
        Self { address, shared }
    }

    /// Connects those that come from now on to `target`.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        *self.shared.target.lock().unwrap() = target;
    }

    /// Does this to what goes these ways, over the connections there are and those to come.
    pub(crate) fn set(&self, ways: &[Way], fault: Fault) {
        let mut faults = self.shared.faults.lock().unwrap();
        ways.iter().for_each(|way| faults[*way as usize] = fault);
        self.shared.changed.notify_all();
    }

    /// Passes everything on again, but for what was swallowed.
    pub(crate) fn heal(&self) {
        self.set(&[Way::ToGateway, Way::ToNode], Fault::None);
    }

    /// Resets all connections.
    pub(crate) fn cut(&self) {
        let connections = std::mem::take(&mut *self.shared.connections.lock().unwrap());
        for connection in connections.iter().filter_map(Weak::upgrade) {
            connection.is_cut.store(true, Ordering::Relaxed);
            for end in &connection.ends {
                // Closed by whoever lets go of it last, it is reset.
                let _ = socket2::SockRef::from(end).set_linger(Some(Duration::ZERO));
                let _ = end.shutdown(Shutdown::Read);
            }
        }
        let _faults = self.shared.faults.lock().unwrap();
        self.shared.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.cut();
        // Wakes whoever accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    /// Continues a connection, if there is somebody to lead it to.
    fn pass_on(self: &Arc<Self>, near: TcpStream) {
        let target = *self.target.lock().unwrap();
        let Ok(far) = TcpStream::connect(target) else { return };
        for end in [&near, &far] {
            end.set_nodelay(true).unwrap();
            end.set_write_timeout(Some(LOOK_EVERY)).unwrap();
        }
        let connection = Arc::new(Connection { ends: [near, far], is_cut: AtomicBool::new(false) });
        let mut connections = self.connections.lock().unwrap();
        connections.retain(|connection| connection.strong_count() > 0);
        connections.push(Arc::downgrade(&connection));
        for way in [Way::ToGateway, Way::ToNode] {
            let (shared, connection) = (self.clone(), connection.clone());
            thread::spawn(move || shared.pump(&connection, way));
        }
    }

    fn pump(&self, connection: &Connection, way: Way) {
        let (mut from, into) = (&connection.ends[way as usize], &connection.ends[1 - way as usize]);
        let mut bytes = [0; 16 << 10];
        let mut is_swallowed = false;
        loop {
            let count = from.read(&mut bytes).unwrap_or(0);
            is_swallowed |= self.fate(connection, way) == Fault::Swallow;
            match count {
                _ if connection.is_cut.load(Ordering::Relaxed) => return,
                0 if is_swallowed => return,
                0 => {
                    let _ = into.shutdown(Shutdown::Write);
                    return;
                }
                _ if is_swallowed => {}
                count if connection.write(into, &bytes[..count]) => {}
                _ => {
                    let _ = from.shutdown(Shutdown::Read);
                    return;
                }
            }
        }
    }

    /// What is to happen to bytes now, once they don't have to wait any more.
    fn fate(&self, connection: &Connection, way: Way) -> Fault {
        let faults = self.faults.lock().unwrap();
        let waits = |faults: &mut [Fault; 2]| {
            faults[way as usize] == Fault::Stall && !connection.is_cut.load(Ordering::Relaxed)
        };
        self.changed.wait_while(faults, waits).unwrap()[way as usize]
    }
}

impl Connection {
    /// Writes all of it. Whether there is still somebody to write to.
    fn write(&self, mut into: &TcpStream, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() && !self.is_cut.load(Ordering::Relaxed) {
            match into.write(bytes) {
                Ok(0) => return false,
                Ok(count) => bytes = &bytes[count..],
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(_) => return false,
            }
        }
        bytes.is_empty()
    }
}
