//! Any bytes parse or are refused, and harm nobody; what one end says the other reads.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::super::frame::{
    Ended, Facts, FrameError, KeptTerminal, MAX_FRAME_BYTES, Number, ToGateway, ToNode, WhenFull,
};
use super::pair::{Pair, hello, request};
use super::pretended::Notes;
use crate::geometry::Size;
use crate::host::directories::Listing;
use crate::host::{Checkpoint, Exit, Kept};
use crate::ids::PaneId;
use crate::pane::log::OutputBuf;
use crate::pane::respawn::Generation;

fn bytes(limit: usize) -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..limit).prop_map(Bytes::from)
}

/// Frames of the gateway. The numbers are few, so that some meet a terminal.
fn to_node() -> impl Strategy<Value = ToNode> {
    let number = || (0u32..4).prop_map(Number);
    let offset = || prop_oneof![0u64..20, 0u64..1 << 60];
    prop_oneof![
        any::<bool>().prop_map(|drop| {
            ToNode::Hello(hello("g", if drop { WhenFull::Drop } else { WhenFull::Wait }))
        }),
        (number(), 1u64..5).prop_map(|(number, pane)| ToNode::Spawn { number, request: request(pane, 1) }),
        (number(), offset(), bytes(30)).prop_map(|(number, offset, bytes)| ToNode::Input {
            number,
            offset,
            bytes
        }),
        (number(), offset(), any::<u8>()).prop_map(|(number, offset, key)| ToNode::Interrupt {
            number,
            offset,
            key
        }),
        (number(), 2u16..1000, 1u16..500)
            .prop_map(|(number, cols, rows)| ToNode::Resize { number, size: Size { cols, rows } }),
        number().prop_map(|number| ToNode::Kill { number }),
        (number(), offset()).prop_map(|(number, printed)| ToNode::Ack { number, printed }),
        (number(), offset(), bytes(30)).prop_map(|(number, printed, bytes)| ToNode::Keep {
            number,
            checkpoint: Checkpoint { printed, bytes },
        }),
        (number(), offset()).prop_map(|(number, from)| ToNode::Resume { number, from }),
        number().prop_map(|number| ToNode::Discard { number }),
        (any::<u32>(), "[a-z/]{0,9}").prop_map(|(question, path)| ToNode::Directories { question, path }),
    ]
}

fn kept() -> impl Strategy<Value = ToGateway> {
    let checkpoint = prop::option::of((0u64..99, bytes(9)));
    (0u32..4, 1u64..5, 0u64..9, 0u64..9, checkpoint).prop_map(|(number, pane, start, length, checkpoint)| {
        let kept = Kept {
            pane: PaneId(pane),
            generation: Generation(1),
            output: start..start + length,
            given: start,
            checkpoint: checkpoint.map(|(printed, bytes)| Checkpoint { printed, bytes }),
        };
        let terminal =
            KeptTerminal { number: Number(number), kept, received: start + length, applied: start };
        ToGateway::Kept(Box::new(terminal))
    })
}

/// Frames of a node.
fn to_gateway() -> impl Strategy<Value = ToGateway> {
    let number = || (0u32..4).prop_map(Number);
    let offset = || prop_oneof![0u64..20, 0u64..1 << 60];
    let listing = Listing { current: "/".to_owned(), directories: vec!["usr".to_owned()] };
    prop_oneof![
        kept(),
        Just(()).prop_map(|()| ToGateway::Ready),
        (number(), prop::option::of("[a-z]{1,9}"))
            .prop_map(|(number, note)| ToGateway::Started { number, note }),
        (number(), "[a-z]{0,9}").prop_map(|(number, reason)| ToGateway::Failed { number, reason }),
        (number(), offset(), bytes(30)).prop_map(|(number, offset, bytes)| {
            let output = OutputBuf::copy_of(&[&b"x"[..], &bytes].concat());
            ToGateway::Output { number, offset, output }
        }),
        (number(), offset()).prop_map(|(number, offset)| ToGateway::Applied { number, offset }),
        (number(), any::<[u8; 3]>(), any::<u64>()).prop_map(|(number, interrupt_keys, idle_ms)| {
            let cwd = Some("/x".into());
            ToGateway::Facts {
                number,
                facts: Facts { raw: true, interrupt_keys, cwd, foreground: None, idle_ms },
            }
        }),
        (number(), offset(), offset(), bytes(9)).prop_map(|(number, printed, applied, unwritten)| {
            let ended = Ended { exit: Exit::Code(1), printed, applied, perhaps: 2, unwritten };
            ToGateway::Exited { number, ended }
        }),
        Just(()).prop_map(|()| ToGateway::Sleeping),
        (any::<u32>(), any::<bool>()).prop_map(move |(question, well)| {
            let answer = if well { Ok(listing.clone()) } else { Err("no".to_owned()) };
            ToGateway::Directories { question, answer }
        }),
    ]
}

/// Frames of either side as they are, with a byte changed, cut, or replaced by any bytes.
fn hostile(frame: impl Strategy<Value = Bytes>) -> impl Strategy<Value = Bytes> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0u8..8);
    (frame, change).prop_map(|(frame, (at, byte, how))| {
        let mut bytes = frame.to_vec();
        match how {
            0 => bytes[at.index(frame.len())] = byte,
            1 => bytes.truncate(at.index(frame.len())),
            2 => bytes.push(byte),
            _ => {}
        }
        bytes.into()
    })
}

#[test]
fn frames_look_as_documented() {
    let input = ToNode::Input { number: Number(0x0102), offset: 7, bytes: Bytes::from_static(b"ls") };
    assert_eq!(&input.encode()[..], b"\x03\x02\x01\0\0\x07\0\0\0\0\0\0\0ls");
    let output = ToGateway::Output { number: Number(1), offset: 256, output: OutputBuf::copy_of(b"hi") };
    assert_eq!(&output.encode()[..], b"\x85\x01\0\0\0\0\x01\0\0\0\0\0\0hi");
    let resize = ToNode::Resize { number: Number(1), size: Size { cols: 80, rows: 24 } };
    assert_eq!(&resize.encode()[..], b"\x05\x01\0\0\0\x50\0\x18\0");
    let failed = ToGateway::Failed { number: Number(1), reason: "no".to_owned() };
    assert_eq!(&failed.encode()[..], b"\x84\x01\0\0\0no");
}

#[test]
fn frames_beyond_the_bounds_are_refused() {
    let parse = |frame: Vec<u8>| ToNode::parse(frame.into()).unwrap_err();
    assert_eq!(parse(vec![3; MAX_FRAME_BYTES + 1]), FrameError::TooLong { length: MAX_FRAME_BYTES + 1 });
    assert_eq!(parse(vec![]), FrameError::Short { length: 0 });
    assert_eq!(parse(vec![6, 0, 0, 0]), FrameError::Short { length: 4 });
    assert_eq!(parse(vec![0x85, 0, 0, 0, 0]), FrameError::UnknownKind { kind: 0x85 });
    let long = [&[3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &[b'x'; (64 << 10) + 1]].concat();
    assert!(matches!(parse(long), FrameError::Malformed { kind: 3, .. }));
    let far = [&[7, 1, 0, 0, 0][..], &u64::MAX.to_le_bytes()].concat();
    assert!(matches!(parse(far), FrameError::Malformed { kind: 7, .. }));
    let mut old = hello("g", WhenFull::Wait);
    old.version = 0;
    assert!(ToNode::parse(ToNode::Hello(old).encode()).unwrap_err().to_string().contains("upgrade"));
}

proptest! {
    #[test]
    fn what_the_gateway_says_is_read(frame in to_node()) {
        prop_assert_eq!(ToNode::parse(frame.encode()), Ok(frame));
    }

    #[test]
    fn what_a_node_says_is_read(frame in to_gateway()) {
        let encoded = frame.encode();
        let read = ToGateway::parse(encoded.slice(..)).unwrap();
        prop_assert_eq!(read.encode(), encoded);
    }

    #[test]
    fn any_bytes_are_a_frame_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80), kind in any::<u8>()) {
        for bytes in [bytes.clone(), [&[kind, 0, 0, 0, 0][..], &bytes].concat()] {
            let bytes = Bytes::from(bytes);
            prop_assert!(ToNode::parse(bytes.clone()).is_err() || ToGateway::parse(bytes).is_err());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A node that says anything at all: no panic, and a terminal that it has not even does not change.
    #[test]
    fn a_hostile_node_harms_only_itself(
        frames in prop::collection::vec(hostile(to_gateway().prop_map(ToGateway::encode)), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut honest = Pair::connected(WhenFull::Wait).await;
            let (kept_notes, notes) = (Arc::new(Notes::default()), Arc::new(Notes::default()));
            let kept = honest.spawn(7, 1, &kept_notes).await;
            let hostile = Pair::connected(WhenFull::Wait).await;
            let (mut inbound, mut outbound) = hostile.host.connect();
            for frame in frames {
                let spawning = crate::host::Host::spawn(&*hostile.host, request(1, 1), notes.clone());
                let spawning = tokio::spawn(spawning);
                tokio::task::yield_now().await;
                if inbound.take(frame).is_err() {
                    (inbound, outbound) = hostile.host.connect();
                }
                while let Some(Some(frame)) = futures_util::FutureExt::now_or_never(outbound.next()) {
                    assert!(ToNode::parse(frame).is_ok());
                }
                spawning.abort();
            }
            assert_eq!(kept.terminal.write(b"x"), 1);
            assert!(kept_notes.exit().is_none());
        });
    }

    /// A gateway that says anything at all: no panic, and programs get no input that is not in its frames.
    #[test]
    fn a_hostile_gateway_does_not_break_a_node(
        frames in prop::collection::vec(hostile(to_node().prop_map(|frame| frame.encode())), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let pair = Pair::new(WhenFull::Wait);
            let (mut inbound, mut outbound) = pair.service.connect();
            for frame in frames {
                if inbound.take(frame).is_err() {
                    (inbound, outbound) = pair.service.connect();
                }
                tokio::task::yield_now().await;
                for program in pair.pretending.programs.lock().unwrap().iter() {
                    program.print(b"output");
                }
                while let Some(Some(frame)) = futures_util::FutureExt::now_or_never(outbound.next()) {
                    assert!(ToGateway::parse(frame).is_ok());
                }
            }
            assert!(pair.service.terminals() <= 4);
        });
    }
}
