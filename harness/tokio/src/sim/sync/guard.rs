//! Macros for the guards of all locks.

/// Declares a guard that wraps tokio's. Every access records the current task as the holder.
macro_rules! guard {
    (
        $(#[$doc:meta])* $name:ident<$($lifetime:lifetime,)? $($param:ident $(= $default:ident)?),*> of $target:ident,
        $inner:ty, $guard:ident => $value:expr $(, lock: $lock:ty)?
    ) => {
        $(#[$doc])*
        #[must_use = "if unused the lock unlocks at once"]
        #[clippy::has_significant_drop]
        pub struct $name<$($lifetime,)? $($param: ?Sized $(= $default)?),*> {
            pub(super) guard: $inner,
            pub(super) part: Part,
            $(pub(super) lock: $lock,)?
        }

        impl<$($lifetime,)? $($param: ?Sized),*> Deref for $name<$($lifetime,)? $($param),*> {
            type Target = $target;

            fn deref(&self) -> &$target {
                self.part.used();
                let $guard = &self.guard;
                &$value
            }
        }

        impl<$($lifetime,)? $($param: ?Sized),*> fmt::Debug for $name<$($lifetime,)? $($param),*>
        where
            $target: fmt::Debug,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&**self, f)
            }
        }

        impl<$($lifetime,)? $($param: ?Sized),*> fmt::Display for $name<$($lifetime,)? $($param),*>
        where
            $target: fmt::Display,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&**self, f)
            }
        }
    };
}

/// Implements `DerefMut` for a guard.
macro_rules! writes {
    ($name:ident<$($lifetime:lifetime,)? $($param:ident),*> of $target:ident, $guard:ident => $value:expr) => {
        impl<$($lifetime,)? $($param: ?Sized),*> DerefMut for $name<$($lifetime,)? $($param),*> {
            fn deref_mut(&mut self) -> &mut $target {
                self.part.used();
                let $guard = &mut self.guard;
                &mut $value
            }
        }
    };
}

pub(super) use {guard, writes};
