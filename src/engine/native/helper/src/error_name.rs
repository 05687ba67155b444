//! Names of error numbers.

/// Not of the system: a host name has no address. The number is libuv's.
pub const NAME_NOT_FOUND: i32 = 3008;

macro_rules! names {
    ($($name:ident),* $(,)?) => {
        /// The name of an error number, such as `EADDRINUSE`.
        pub fn error_name(number: i32) -> Option<&'static str> {
            if number == NAME_NOT_FOUND {
                return Some("ENOTFOUND");
            }
            // Some systems have two names for one number: the first is taken.
            $(if number == libc::$name { return Some(stringify!($name)); })*
            None
        }
    };
}

names![
    EPERM,
    ENOENT,
    ESRCH,
    EINTR,
    EIO,
    ENXIO,
    E2BIG,
    ENOEXEC,
    EBADF,
    ECHILD,
    EAGAIN,
    ENOMEM,
    EACCES,
    EFAULT,
    ENOTBLK,
    EBUSY,
    EEXIST,
    EXDEV,
    ENODEV,
    ENOTDIR,
    EISDIR,
    EINVAL,
    ENFILE,
    EMFILE,
    ENOTTY,
    ETXTBSY,
    EFBIG,
    ENOSPC,
    ESPIPE,
    EROFS,
    EMLINK,
    EPIPE,
    EDOM,
    ERANGE,
    EDEADLK,
    ENAMETOOLONG,
    ENOLCK,
    ENOSYS,
    ENOTEMPTY,
    ELOOP,
    EIDRM,
    ENOTSOCK,
    EDESTADDRREQ,
    EMSGSIZE,
    EPROTOTYPE,
    ENOPROTOOPT,
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
    EOPNOTSUPP,
    ENOTSUP,
    EPFNOSUPPORT,
    EAFNOSUPPORT,
    EADDRINUSE,
    EADDRNOTAVAIL,
    ENETDOWN,
    ENETUNREACH,
    ENETRESET,
    ECONNABORTED,
    ECONNRESET,
    ENOBUFS,
    EISCONN,
    ENOTCONN,
    ESHUTDOWN,
    ETOOMANYREFS,
    ETIMEDOUT,
    ECONNREFUSED,
    EHOSTDOWN,
    EHOSTUNREACH,
    EALREADY,
    EINPROGRESS,
    ESTALE,
    EDQUOT,
    EILSEQ,
    EOVERFLOW,
    ECANCELED,
    EOWNERDEAD,
    ENOTRECOVERABLE,
    EPROTO,
    EBADMSG,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_system() {
        assert_eq!(error_name(libc::EADDRINUSE), Some("EADDRINUSE"));
        assert_eq!(error_name(libc::EAGAIN), Some("EAGAIN"));
        assert_eq!(error_name(NAME_NOT_FOUND), Some("ENOTFOUND"));
        assert_eq!(error_name(0), None);
        assert_eq!(error_name(-1), None);
        assert_eq!(error_name(i32::MAX), None);
    }
}
