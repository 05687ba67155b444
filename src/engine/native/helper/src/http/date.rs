//! Dates of HTTP (RFC 9110, 5.6.7).

use std::time::{SystemTime, UNIX_EPOCH};

/// The current date as text, made anew once a second.
#[derive(Debug)]
pub struct DateCache {
    second: i64,
    text: [u8; 29],
}

impl Default for DateCache {
    fn default() -> Self {
        DateCache {
            second: 0,
            text: http_date(0),
        }
    }
}

impl DateCache {
    /// The current date. Looks at the clock each time.
    pub fn now(&mut self) -> &[u8; 29] {
        self.at(current_second())
    }

    fn at(&mut self, second: i64) -> &[u8; 29] {
        if second != self.second {
            self.second = second;
            self.text = http_date(second);
        }
        &self.text
    }
}

fn current_second() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        // The clock is set to before 1970.
        Err(error) => -i64::try_from(error.duration().as_secs()).unwrap_or(i64::MAX),
    }
}

const DAY: i64 = 86_400;
/// Midnight of the first day of year 0.
const FIRST: i64 = -719_528 * DAY;
/// The last second of year 9999.
const LAST: i64 = 2_932_897 * DAY - 1;

/// The date so many seconds after 1970 began, such as
/// `Sun, 06 Nov 1994 08:49:37 GMT`. The format has no room for years beyond 0
/// to 9999: for those it is the nearest second that fits.
pub fn http_date(seconds_since_epoch: i64) -> [u8; 29] {
    let seconds = seconds_since_epoch.clamp(FIRST, LAST);
    let days = seconds.div_euclid(DAY);
    let second = seconds.rem_euclid(DAY);
    let (year, month, day) = civil_date(days);
    // Day 0 was a Thursday.
    let weekday = WEEKDAYS[(days + 4).rem_euclid(7) as usize];
    let mut text = *b"Sun, 00 Jan 0000 00:00:00 GMT";
    text[..3].copy_from_slice(weekday);
    write_two(&mut text[5..7], day);
    text[8..11].copy_from_slice(MONTHS[month as usize]);
    write_two(&mut text[12..14], year / 100);
    write_two(&mut text[14..16], year % 100);
    write_two(&mut text[17..19], second / 3600);
    write_two(&mut text[20..22], second / 60 % 60);
    write_two(&mut text[23..25], second % 60);
    text
}

const WEEKDAYS: [&[u8; 3]; 7] = [b"Sun", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat"];

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

fn write_two(out: &mut [u8], number: i64) {
    out[0] = b'0' + (number / 10) as u8;
    out[1] = b'0' + (number % 10) as u8;
}

/// Year, month from 0 and day from 1 of a day counted from 1970.
fn civil_date(days: i64) -> (i64, i64, i64) {
    // Years that begin in March have their leap day at the end, and 400 of
    // them always have the same number of days. Day -719468 begins year 0 so.
    let from_march = days + 719_468;
    let cycle = from_march.div_euclid(146_097);
    let day_of_cycle = from_march.rem_euclid(146_097);
    let year_of_cycle =
        (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let first_day = 365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100;
    let day_of_year = day_of_cycle - first_day;
    // March to July and August to December have 153 days each.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12;
    let year = cycle * 400 + year_of_cycle + i64::from(month < 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(seconds: i64) -> String {
        String::from_utf8(http_date(seconds).to_vec()).unwrap()
    }

    #[test]
    fn dates_are_fixed_length() {
        let rows = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (253_402_300_800, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (i64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (-62_167_219_200, "Sat, 01 Jan 0000 00:00:00 GMT"),
            (i64::MIN, "Sat, 01 Jan 0000 00:00:00 GMT"),
        ];
        for (seconds, text) in rows {
            assert_eq!(date(seconds), text);
        }
    }

    #[test]
    fn days_follow_each_other() {
        let (mut year, mut month, mut day) = (1, 0, 1);
        // 1 January of year 1.
        let start = -719_162;
        for days in start..start + 800_000 {
            assert_eq!(civil_date(days), (year, month, day));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                1 => 28 + i64::from(leap),
                3 | 5 | 8 | 10 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month == 12 {
                (year, month) = (year + 1, 0);
            }
        }
    }

    #[test]
    fn the_cache_follows_the_clock() {
        let mut cache = DateCache::default();
        assert_eq!(cache.at(784_111_777), b"Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(cache.at(784_111_778), b"Sun, 06 Nov 1994 08:49:38 GMT");
        assert_eq!(cache.at(0), b"Thu, 01 Jan 1970 00:00:00 GMT");
        let before = current_second();
        let now = *cache.now();
        let after = current_second();
        assert!((before..=after).any(|second| http_date(second) == now));
    }
}
