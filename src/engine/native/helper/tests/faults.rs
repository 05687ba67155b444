//! A panic inside of an exported function is an error of that call, and
//! nothing else.
#![cfg(feature = "fault-injection")]

use jstime_serve::abi::{ABI, LISTEN_OUT_BYTES, METRIC_COUNT};
use jstime_serve::fault;
use jstime_serve::ffi::*;

/// Every exported function, in the order of `abi.rs`, with arguments that are
/// right if `handle` is; whether it has worked.
fn call(point: u32, handle: u32) -> bool {
    let mut out = vec![0; METRIC_COUNT * 8];
    let start = out.as_mut_ptr();
    let size = out.len() as u32;
    let result = match point {
        0 => return jstime_abi() == ABI,
        1 => {
            let opened = jstime_open(1);
            if opened > 0 {
                assert_eq!(jstime_close(opened as u32), 0);
            }
            opened
        }
        2 => return !jstime_memory(handle, 0).is_null(),
        // SAFETY: `start` points to `size` bytes, as below.
        3 => unsafe { jstime_doorbell(handle, 0, start, size) },
        4 | 18 => {
            match point {
                4 => jstime_wake(handle, 0),
                _ => jstime_help(handle, 0),
            }
            return false; // They have no result.
        }
        5 => {
            let opened = jstime_open(1) as u32;
            let result = jstime_close(opened);
            if result < 0 {
                assert_eq!(jstime_close(opened), 0, "it is still open");
            }
            result
        }
        6 => {
            let mut plan = vec![0; 80];
            plan[0] = 1;
            plan[12] = 9;
            plan.extend(b"127.0.0.1");
            // SAFETY: as above.
            unsafe { jstime_listen(handle, plan.as_ptr(), 89, start, LISTEN_OUT_BYTES as u32) }
        }
        7 => jstime_stop(handle, 0, 0),
        8 => jstime_close_idle(handle, 0),
        // SAFETY: as above.
        9 => unsafe { jstime_static(handle, 0, start, 4) },
        // SAFETY: as above.
        10 => unsafe { jstime_metrics(handle, 0, start, size) },
        // SAFETY: as above.
        11 => return unsafe { jstime_lend(handle, start, size) } != 0,
        12 => {
            // SAFETY: as above.
            let taken = unsafe { jstime_take(handle, 0, 0, 0, start, size) };
            // There is nothing to take.
            if taken == -libc::ENOENT { 0 } else { taken }
        }
        13 => {
            let path = b"/";
            // SAFETY: as above.
            let token = unsafe { jstime_file_open(path.as_ptr(), 1, start) };
            if token > 0 {
                jstime_file_close(token as u32);
            }
            token
        }
        14..=16 => {
            // SAFETY: as above.
            let token =
                unsafe { jstime_file_open(c"/dev/../etc/passwd".as_ptr().cast(), 18, start) };
            let token = u32::try_from(token).unwrap();
            let result = match point {
                // SAFETY: as above.
                14 => unsafe { jstime_file_stat(token, start) },
                // SAFETY: as above.
                15 => unsafe { jstime_file_read(token, start, size, 0.0) },
                _ => jstime_file_close(token),
            };
            if result < 0 || point != 16 {
                assert_eq!(jstime_file_close(token), 0, "it is still open");
            }
            result
        }
        // SAFETY: as above.
        17 => unsafe { jstime_error_name(1, start, size) },
        _ => unreachable!(),
    };
    result >= 0
}

#[test]
fn every_exported_function_survives_a_panic() {
    let handle = jstime_open(1) as u32;
    assert!(call(6, handle), "it listens");
    for point in (0..=18).filter(|&point| point != 7).chain([7]) {
        let works = point != 4 && point != 18;
        if point != 7 {
            assert_eq!(call(point, handle), works, "function {point}");
        }
        assert_eq!(jstime_fault(fault::EXPORTS + point, 1), 0);
        assert!(!call(point, handle), "function {point} with a fault");
        assert_eq!(call(point, handle), works, "function {point} afterwards");
    }
    assert_eq!(jstime_fault(u32::MAX, 1), -libc::EINVAL);
    assert_eq!(jstime_close(handle), 0);
}
