//! How many files may be open: a shell or a service manager allows as many as programs with few connections need.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises this process's limit to `wanted`, as far as the system allows, and says how many it is then. It is never lowered.
pub fn raise(wanted: u64) -> u64 {
    let Ok((now, most)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 0 };
    let raised = wanted.clamp(now, most.max(now));
    match setrlimit(Resource::RLIMIT_NOFILE, raised, most) {
        Ok(()) => raised,
        Err(_) => now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_allowed_and_never_lowered() {
        let (now, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert_eq!(raise(0), now);
        let wanted = most.min(now + 16);
        assert_eq!(raise(wanted), wanted);
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap(), (wanted, most));
        assert_eq!(raise(now), wanted);
    }
}
