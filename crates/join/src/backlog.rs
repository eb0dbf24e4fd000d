//! Data that waits in tunnels for whoever is to read it, counted for as long as it is in memory: of a stream, of its
//! tunnel, of all tunnels of a process.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of one stream.
const MAX_OF_STREAM: usize = 8 * 1024 * 1024;
/// Bytes of one tunnel's streams together.
const MAX_OF_TUNNEL: usize = 64 * 1024 * 1024;
/// Bytes of all tunnels together.
const MAX_OF_ALL: usize = 512 * 1024 * 1024;
/// What a piece takes besides its bytes: its place in a queue and what the allocator adds.
const PIECE: usize = 64;

/// What waits somewhere, and may.
#[derive(Debug)]
pub struct Backlog {
    bound: Bound,
    max: usize,
    waiting: AtomicUsize,
    part_of: Option<Arc<Backlog>>,
}

/// Which bound of three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// That of a stream.
    Stream,
    /// That of a tunnel.
    Tunnel,
    /// That of all tunnels.
    All,
}

/// A message's data with memory of its own (a websocket's messages are slices of one buffer, which each of them would keep
/// alive). It is counted until it is dropped, also when its stream or tunnel has ended by then.
#[derive(Debug)]
pub struct Piece {
    bytes: Box<[u8]>,
    backlog: Arc<Backlog>,
}

impl Backlog {
    /// Of all tunnels.
    pub fn of_all() -> Arc<Self> {
        Self::of_all_within(MAX_OF_ALL)
    }

    /// Of all tunnels, with another bound.
    pub fn of_all_within(max: usize) -> Arc<Self> {
        Arc::new(Self { bound: Bound::All, max, waiting: AtomicUsize::new(0), part_of: None })
    }

    /// Of one tunnel.
    pub fn of_tunnel(all: Arc<Self>) -> Arc<Self> {
        let (bound, max) = (Bound::Tunnel, MAX_OF_TUNNEL);
        Arc::new(Self { bound, max, waiting: AtomicUsize::new(0), part_of: Some(all) })
    }

    /// Of one stream.
    pub fn of_stream(tunnel: Arc<Self>) -> Arc<Self> {
        let (bound, max) = (Bound::Stream, MAX_OF_STREAM);
        Arc::new(Self { bound, max, waiting: AtomicUsize::new(0), part_of: Some(tunnel) })
    }

    /// How many bytes wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A copy of a stream's data that is to wait, or which bound it would exceed.
    pub fn piece(self: &Arc<Self>, bytes: &[u8]) -> Result<Piece, Bound> {
        self.take(bytes.len() + PIECE)?;
        Ok(Piece { bytes: bytes.into(), backlog: Arc::clone(self) })
    }

    fn take(&self, count: usize) -> Result<(), Bound> {
        let within = |waiting: usize| waiting.checked_add(count).filter(|&waiting| waiting <= self.max);
        self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).map_err(|_| self.bound)?;
        let taken = self.part_of.as_ref().map_or(Ok(()), |whole| whole.take(count));
        taken.inspect_err(|_| {
            self.waiting.fetch_sub(count, Ordering::Relaxed);
        })
    }

    fn give_back(&self, count: usize) {
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        if let Some(whole) = &self.part_of {
            whole.give_back(count);
        }
    }
}

impl Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.backlog.give_back(self.bytes.len() + PIECE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills a stream with pieces of this length.
    fn fill(stream: &Arc<Backlog>, length: usize) -> (Vec<Piece>, Bound) {
        let bytes = vec![7; length];
        let mut pieces = Vec::new();
        loop {
            match stream.piece(&bytes) {
                Ok(piece) => pieces.push(piece),
                Err(bound) => return (pieces, bound),
            }
        }
    }

    #[test]
    fn what_waits_counts_everywhere_until_it_is_dropped() {
        let all = Backlog::of_all();
        let tunnel = Backlog::of_tunnel(Arc::clone(&all));
        let stream = Backlog::of_stream(Arc::clone(&tunnel));
        let piece = stream.piece(b"abc").unwrap();
        assert_eq!(&*piece, b"abc");
        assert_eq!([&stream, &tunnel, &all].map(|backlog| backlog.waiting()), [67; 3]);
        drop(stream);
        assert_eq!([&tunnel, &all].map(|backlog| backlog.waiting()), [67; 2]);
        drop(piece);
        assert_eq!([&tunnel, &all].map(|backlog| backlog.waiting()), [0; 2]);
    }

    #[test]
    fn pieces_of_one_byte_are_bounded_by_what_they_take() {
        let stream = Backlog::of_stream(Backlog::of_tunnel(Backlog::of_all()));
        let (pieces, bound) = fill(&stream, 1);
        assert_eq!((pieces.len(), bound), (8 * 1024 * 1024 / 65, Bound::Stream));
    }

    #[test]
    fn each_of_the_three_bounds_holds_and_a_refused_piece_counts_nowhere() {
        let all = Backlog::of_all_within(100 * 1024 * 1024);
        let tunnels = [(); 2].map(|()| Backlog::of_tunnel(Arc::clone(&all)));
        let fill_tunnel = |tunnel: &Arc<Backlog>| {
            let mut pieces = Vec::new();
            loop {
                let (more, bound) = fill(&Backlog::of_stream(Arc::clone(tunnel)), 1024 * 1024);
                pieces.extend(more);
                if bound != Bound::Stream {
                    return (pieces, bound);
                }
            }
        };
        let cost = 1024 * 1024 + 64;
        let (first, bound) = fill_tunnel(&tunnels[0]);
        assert_eq!((first.len(), bound), (63, Bound::Tunnel));
        let (second, bound) = fill_tunnel(&tunnels[1]);
        assert_eq!((second.len(), bound), (36, Bound::All));
        assert_eq!([tunnels[0].waiting(), tunnels[1].waiting(), all.waiting()], [63 * cost, 36 * cost, 99 * cost]);
        drop(first);
        assert_eq!([tunnels[0].waiting(), tunnels[1].waiting(), all.waiting()], [0, 36 * cost, 36 * cost]);
    }
}
