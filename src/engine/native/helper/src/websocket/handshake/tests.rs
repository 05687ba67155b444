use super::*;

const SHARED: DeflateConfig = DeflateConfig {
    compress: Compress::Shared,
    decompress: Decompress::Shared,
};
const DEDICATED: DeflateConfig = DeflateConfig {
    compress: Compress::Dedicated { window_bits: 15 },
    decompress: Decompress::Dedicated { window_bits: 15 },
};
const SMALL: DeflateConfig = DeflateConfig {
    compress: Compress::Dedicated { window_bits: 10 },
    decompress: Decompress::Dedicated { window_bits: 11 },
};
const DISABLED: DeflateConfig = DeflateConfig {
    compress: Compress::Disable,
    decompress: Decompress::Shared,
};

fn response(field: &str, config: &DeflateConfig) -> Option<String> {
    negotiate([field.as_bytes()], config)
        .expect(field)
        .map(|negotiated| negotiated.response)
}

#[test]
fn accepts() {
    // RFC 6455, 1.3.
    let accepted = accept(b"dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(accepted, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    // RFC 3174's digest of "abc" shows that other bytes are not fixed up.
    assert_eq!(accept(b"").len(), 28);
    assert_eq!(
        accept(b"x3JJHMbDL1EzLkh9GBhXDw=="),
        "HSmrc0sMlYUkAGmm5OPpG2HaGWk="
    );
}

#[test]
fn responses() {
    let both = "; client_no_context_takeover; server_no_context_takeover";
    let client = "; client_no_context_takeover";
    let server = "; server_no_context_takeover";
    let rows: Vec<(&str, &DeflateConfig, String)> = vec![
        ("", &SHARED, both.into()),
        ("; client_max_window_bits", &SHARED, both.into()),
        ("; client_max_window_bits=9", &SHARED, both.into()),
        ("; server_no_context_takeover", &SHARED, both.into()),
        (
            "; server_max_window_bits=10",
            &SHARED,
            format!("{both}; server_max_window_bits=10"),
        ),
        ("", &DISABLED, both.into()),
        ("", &DEDICATED, "".into()),
        ("; client_max_window_bits", &DEDICATED, "".into()),
        ("; client_max_window_bits=15", &DEDICATED, "".into()),
        (
            "; client_max_window_bits=8",
            &DEDICATED,
            "; client_max_window_bits=8".into(),
        ),
        (
            "; server_max_window_bits=9",
            &DEDICATED,
            "; server_max_window_bits=9".into(),
        ),
        (
            "; server_max_window_bits=15",
            &DEDICATED,
            "; server_max_window_bits=15".into(),
        ),
        ("; server_no_context_takeover", &DEDICATED, server.into()),
        ("; client_no_context_takeover", &DEDICATED, client.into()),
        (
            "; client_no_context_takeover; client_max_window_bits=10",
            &DEDICATED,
            client.into(),
        ),
        // A client that cannot use a smaller window has to forget it.
        ("", &SMALL, client.into()),
        (
            "; client_max_window_bits",
            &SMALL,
            "; client_max_window_bits=11".into(),
        ),
        (
            "; client_max_window_bits=9; server_max_window_bits=15",
            &SMALL,
            "; client_max_window_bits=9; server_max_window_bits=10".into(),
        ),
        (
            "; client_max_window_bits; server_max_window_bits=9",
            &SMALL,
            "; client_max_window_bits=11; server_max_window_bits=9".into(),
        ),
        // Other ways to write it.
        (
            " ;  server_max_window_bits = \"1\\2\" \t",
            &DEDICATED,
            "; server_max_window_bits=12".into(),
        ),
        (
            ";client_no_context_takeover;server_no_context_takeover",
            &DEDICATED,
            both.into(),
        ),
    ];
    for (parameters, config, expected) in rows {
        let offer = format!("permessage-deflate{parameters}");
        let expected = format!("permessage-deflate{expected}");
        assert_eq!(response(&offer, config), Some(expected), "{offer}");
    }
}

#[test]
fn offers_that_are_declined() {
    for parameters in [
        "; server_max_window_bits=8",
        "; server_max_window_bits",
        "; server_max_window_bits=7",
        "; server_max_window_bits=16",
        "; server_max_window_bits=09",
        "; server_max_window_bits=010",
        "; server_max_window_bits=+9",
        "; server_max_window_bits=9a",
        "; server_max_window_bits=9.0",
        "; server_max_window_bits=\"16\"",
        "; client_max_window_bits=7",
        "; client_max_window_bits=16",
        "; client_max_window_bits=08",
        "; client_max_window_bits=256",
        "; client_max_window_bits=18446744073709551625",
        "; server_no_context_takeover=true",
        "; client_no_context_takeover=1",
        "; server_no_context_takeover; server_no_context_takeover",
        "; client_no_context_takeover; client_no_context_takeover",
        "; server_max_window_bits=10; server_max_window_bits=10",
        "; client_max_window_bits; client_max_window_bits",
        "; client_max_window_bits=10; client_max_window_bits",
        "; client_max_window_bits; client_max_window_bits=10",
        "; mux",
        "; Server_No_Context_Takeover",
        "; client_max_window_bits; x=\"y\"",
    ] {
        let offer = format!("permessage-deflate{parameters}");
        for config in [SHARED, DEDICATED, SMALL, DISABLED] {
            assert_eq!(response(&offer, &config), None, "{offer}");
            // The next may do.
            let offers = format!("{offer}, permessage-deflate");
            assert!(response(&offers, &config).is_some(), "{offers}");
        }
    }
}

#[test]
fn the_first_offer_that_can_be_accepted_is() {
    let rows: [(&[&str], Option<&str>); 9] = [
        (&[], None),
        (&[""], None),
        (&["foo, bar; baz=1"], None),
        (&["x-webkit-deflate-frame"], None),
        (&["permessage-deflate-2, permessage-bzip2"], None),
        (
            &["foo, permessage-deflate; server_max_window_bits=9"],
            Some("permessage-deflate; server_max_window_bits=9"),
        ),
        (
            &["permessage-deflate; server_max_window_bits=8,\
                 permessage-deflate; server_max_window_bits=10,\
                 permessage-deflate"],
            Some("permessage-deflate; server_max_window_bits=10"),
        ),
        (
            &["foo", "permessage-deflate; server_max_window_bits=11, bar"],
            Some("permessage-deflate; server_max_window_bits=11"),
        ),
        (
            &[
                "permessage-deflate",
                "permessage-deflate; client_no_context_takeover",
            ],
            Some("permessage-deflate"),
        ),
    ];
    for (fields, expected) in rows {
        let negotiated = negotiate(fields.iter().map(|field| field.as_bytes()), &DEDICATED);
        let response = negotiated.unwrap().map(|accepted| accepted.response);
        assert_eq!(response.as_deref(), expected, "{fields:?}");
    }
}

#[test]
fn fields_that_are_none() {
    for field in [
        ";",
        "; a",
        "permessage-deflate;",
        "permessage-deflate; ;",
        "permessage-deflate; =10",
        "permessage-deflate; client_max_window_bits=",
        "permessage-deflate; client_max_window_bits=\"",
        "permessage-deflate; client_max_window_bits=\"10",
        "permessage-deflate; client_max_window_bits=\"\"",
        "permessage-deflate; client_max_window_bits=\"1\\",
        "permessage-deflate; a=\"b c\"",
        "permessage-deflate; a=\"b\"c",
        "permessage-deflate client_max_window_bits",
        "permessage-deflate, foo bar",
        "permessage-deflate, foo; a=b=c",
        "permessage=deflate",
        "\"permessage-deflate\"",
        "permessage-deflate\r\n",
        "perm\u{e9}ssage",
        "permessage-deflate\0",
    ] {
        let negotiated = negotiate([field.as_bytes()], &SHARED);
        assert_eq!(negotiated, Err(Malformed), "{field}");
    }
    for field in [" , permessage-deflate", "permessage-deflate,", ",,\t,"] {
        assert!(negotiate([field.as_bytes()], &SHARED).is_ok(), "{field}");
    }
}

#[test]
fn what_was_agreed_on() {
    let agreed = |field: &str, config: &DeflateConfig| {
        negotiate([field.as_bytes()], config)
            .unwrap()
            .unwrap()
            .agreed
    };
    let shared = Agreed {
        compress: true,
        server_takeover: false,
        server_window_bits: 15,
        client_takeover: false,
        client_window_bits: 15,
    };
    assert_eq!(agreed("permessage-deflate", &SHARED), shared);
    assert_eq!(
        agreed("permessage-deflate", &DISABLED),
        Agreed {
            compress: false,
            ..shared
        }
    );
    let offer = "permessage-deflate; client_max_window_bits; \
                 server_max_window_bits=12";
    assert_eq!(
        agreed(offer, &DEDICATED),
        Agreed {
            compress: true,
            server_takeover: true,
            server_window_bits: 12,
            client_takeover: true,
            client_window_bits: 15,
        }
    );
    assert_eq!(
        agreed(offer, &SMALL),
        Agreed {
            compress: true,
            server_takeover: true,
            server_window_bits: 10,
            client_takeover: true,
            client_window_bits: 11,
        }
    );
    // It was not told to use a smaller window.
    assert_eq!(agreed("permessage-deflate", &SMALL).client_window_bits, 15);
}

#[test]
fn windows_by_memory() {
    let kibibytes = [3, 4, 8, 16, 32, 64, 128, 256];
    let bits = kibibytes.map(|size| Compress::dedicated(size * 1024));
    let expected = [9, 9, 10, 11, 12, 13, 14, 15];
    assert_eq!(
        bits,
        expected.map(|window_bits| Compress::Dedicated { window_bits })
    );
    let bits = [0, 3, 4, 8, 16, 32, 256].map(|size| Decompress::dedicated(size * 1024));
    let expected = [9, 11, 12, 13, 14, 15, 15];
    assert_eq!(
        bits,
        expected.map(|window_bits| Decompress::Dedicated { window_bits })
    );
}
