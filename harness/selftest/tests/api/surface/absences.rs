// The functions that the simulated tokio does not have.

/// Checks that a type lacks a function: the trait's function is found where the type has none of its own.
macro_rules! absent {
    ($($type:ident: $($name:ident),*;)*) => {{
        let mut facts = vec![];
        $({
            #[allow(dead_code)]
            trait Fallback {
                $(fn $name() -> Absent {
                    Absent
                })*
            }
            impl Fallback for $type {}
            $(facts.push(Fact(
                concat!(stringify!($type), "::", stringify!($name)).into(),
                super::whether_absent(&<$type>::$name),
            ));)*
        })*
        facts
    }};
}

/// Returns what the simulated one omits on purpose; the reasons are in the test.
pub fn absences() -> Vec<Fact> {
    absent! {
        TcpSocket: tclass_v6, set_tclass_v6;
        UdpSocket: multicast_loop_v4, set_multicast_loop_v4, multicast_ttl_v4, set_multicast_ttl_v4, multicast_loop_v6,
            set_multicast_loop_v6, tclass_v6, set_tclass_v6, join_multicast_v4, join_multicast_v6, leave_multicast_v4,
            leave_multicast_v6;
        Handle: metrics, id, name;
        Runtime: metrics;
    }
}
