//! Metrics as text, in the exposition format of Prometheus, version 0.0.4. The
//! same as `metrics_text.ts` writes for engines that count in JavaScript.

use std::fmt::Write;

use crate::abi::*;
use crate::metrics::Values;

/// The media type of the text.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const FAMILIES: [(usize, &str, &str, &str); 11] = [
    (
        METRIC_CONNECTIONS,
        "jstime_connections",
        "gauge",
        "Connections open now.",
    ),
    (
        METRIC_CONNECTIONS_TOTAL,
        "jstime_connections_total",
        "counter",
        "Connections accepted.",
    ),
    (
        METRIC_CONNECTIONS_REFUSED,
        "jstime_connections_refused_total",
        "counter",
        "Connections closed when they were accepted, because of the limit.",
    ),
    (
        METRIC_REQUESTS,
        "jstime_http_requests_total",
        "counter",
        "Requests with a complete head.",
    ),
    (
        METRIC_REQUESTS_NATIVE,
        "jstime_http_requests_native_total",
        "counter",
        "Requests answered without JavaScript.",
    ),
    (
        METRIC_REQUESTS_SHED,
        "jstime_http_requests_shed_total",
        "counter",
        "Requests answered 503 because too many were waiting.",
    ),
    (
        METRIC_PENDING,
        "jstime_http_requests_pending",
        "gauge",
        "Requests whose response is not complete.",
    ),
    (
        METRIC_QUEUE,
        "jstime_http_requests_queued",
        "gauge",
        "Requests waiting for JavaScript.",
    ),
    (
        METRIC_BYTES_READ,
        "jstime_read_bytes_total",
        "counter",
        "Bytes read from sockets.",
    ),
    (
        METRIC_BYTES_WRITTEN,
        "jstime_written_bytes_total",
        "counter",
        "Bytes written to sockets.",
    ),
    (
        METRIC_TIMEOUTS,
        "jstime_timeouts_total",
        "counter",
        "Connections cut at a deadline.",
    ),
];

/// The text. Statuses that were never answered are left out.
pub fn text(values: &Values) -> String {
    let mut out = String::with_capacity(4096);
    for (metric, name, kind, help) in FAMILIES {
        family(&mut out, name, kind, help);
        sample(&mut out, name, "", values[metric]);
    }

    let name = "jstime_http_responses_total";
    family(&mut out, name, "counter", "Responses by status.");
    for (index, &count) in values[METRIC_STATUS..].iter().enumerate() {
        if count > 0.0 {
            let label = format!("{{status=\"{}\"}}", 100 + index);
            sample(&mut out, name, &label, count);
        }
    }

    let name = "jstime_javascript_stall_now_seconds";
    family(
        &mut out,
        name,
        "gauge",
        "Time that JavaScript has left its events waiting, now.",
    );
    sample(&mut out, name, "", values[METRIC_STALL_NOW] / 1000.0);

    let name = "jstime_javascript_stall_seconds";
    family(
        &mut out,
        name,
        "histogram",
        "Times for which JavaScript left its events waiting.",
    );
    let mut count = 0.0;
    for (index, bucket) in values[METRIC_STALLS..METRIC_STATUS].iter().enumerate() {
        count += bucket;
        let bound = match STALL_BOUNDS.get(index) {
            Some(&milliseconds) => (f64::from(milliseconds) / 1000.0).to_string(),
            None => "+Inf".to_owned(),
        };
        sample(
            &mut out,
            "jstime_javascript_stall_seconds_bucket",
            &format!("{{le=\"{bound}\"}}"),
            count,
        );
    }
    sample(
        &mut out,
        "jstime_javascript_stall_seconds_sum",
        "",
        values[METRIC_STALL_SUM] / 1000.0,
    );
    sample(&mut out, "jstime_javascript_stall_seconds_count", "", count);
    out
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn sample(out: &mut String, name: &str, labels: &str, value: f64) {
    let _ = writeln!(out, "{name}{labels} {value}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_text_has_every_value() {
        let mut values = [0.0; METRIC_COUNT];
        for (number, (metric, ..)) in FAMILIES.iter().enumerate() {
            values[*metric] = number as f64 + 1.0;
        }
        values[METRIC_BYTES_READ] = 9_007_199_254_740_991.0;
        values[METRIC_STALL_NOW] = 1.5;
        values[METRIC_STALL_SUM] = 12.5;
        values[METRIC_STALLS] = 2.0;
        values[METRIC_STATUS - 1] = 3.0;
        values[METRIC_STATUS + 100] = 7.0;
        values[METRIC_STATUS + 304] = 8.0;
        let text = text(&values);
        for line in [
            "jstime_connections 1",
            "jstime_connections_total 2",
            "jstime_connections_refused_total 3",
            "jstime_http_requests_total 4",
            "jstime_http_requests_native_total 5",
            "jstime_http_requests_shed_total 6",
            "jstime_http_requests_pending 7",
            "jstime_http_requests_queued 8",
            "jstime_read_bytes_total 9007199254740991",
            "jstime_written_bytes_total 10",
            "jstime_timeouts_total 11",
            "jstime_http_responses_total{status=\"200\"} 7",
            "jstime_http_responses_total{status=\"404\"} 8",
            "jstime_javascript_stall_now_seconds 0.0015",
            "jstime_javascript_stall_seconds_bucket{le=\"0.001\"} 2",
            "jstime_javascript_stall_seconds_bucket{le=\"0.25\"} 2",
            "jstime_javascript_stall_seconds_bucket{le=\"5\"} 2",
            "jstime_javascript_stall_seconds_bucket{le=\"+Inf\"} 5",
            "jstime_javascript_stall_seconds_sum 0.0125",
            "jstime_javascript_stall_seconds_count 5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(!text.contains("status=\"500\""));
    }

    #[test]
    fn every_sample_follows_its_family() {
        let text = text(&[1.0; METRIC_COUNT]);
        assert!(text.ends_with('\n'));
        let mut families = HashSet::new();
        let mut family = "";
        let mut kind = "";
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            if let ["#", "HELP", name, ..] = words[..] {
                family = name;
                assert!(families.insert(name), "{name} twice");
            } else if let ["#", "TYPE", name, found] = words[..] {
                assert_eq!(name, family);
                kind = found;
            } else {
                let [sample, value] = words[..] else {
                    panic!("{line}")
                };
                value.parse::<f64>().unwrap();
                let name = sample.split('{').next().unwrap();
                let suffix = name.strip_prefix(family).expect("not of the family");
                match kind {
                    "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&suffix)),
                    _ => assert_eq!(suffix, ""),
                }
                assert_eq!(kind == "counter", family.ends_with("_total"));
            }
        }
        assert_eq!(families.len(), FAMILIES.len() + 3);
    }
}
