//! The one shape of all flag words: a newtype over an integer with the manual's names as constants.

/// Defines a flag word with its constants, set operations and a [`Debug`](std::fmt::Debug) that prints names.
macro_rules! flag_word {
    (
        $(#[$meta:meta])*
        $type:ident: $bits:ty {
            $($(#[$doc:meta])* $name:ident = $value:expr;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct $type($bits);

        impl $type {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// No flag.
            #[must_use]
            pub const fn empty() -> Self {
                Self(0)
            }

            /// The flags of an integer; bits without a name are kept.
            #[must_use]
            pub const fn from_bits(bits: $bits) -> Self {
                Self(bits)
            }

            /// The integer, as it goes over the wire.
            #[must_use]
            pub const fn bits(self) -> $bits {
                self.0
            }

            /// Whether all of `flags` are set.
            #[must_use]
            pub const fn contains(self, flags: Self) -> bool {
                self.0 & flags.0 == flags.0
            }

            /// Whether no flag is set.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// These flags and `flags`.
            #[must_use]
            pub const fn with(self, flags: Self) -> Self {
                Self(self.0 | flags.0)
            }

            /// These flags except `flags`.
            #[must_use]
            pub const fn without(self, flags: Self) -> Self {
                Self(self.0 & !flags.0)
            }

            /// The flags that both have.
            #[must_use]
            pub const fn intersection(self, flags: Self) -> Self {
                Self(self.0 & flags.0)
            }

            /// Sets `flags`.
            pub const fn insert(&mut self, flags: Self) {
                self.0 |= flags.0;
            }

            /// Clears `flags`.
            pub const fn remove(&mut self, flags: Self) {
                self.0 &= !flags.0;
            }

            /// Sets or clears `flags`.
            pub const fn set(&mut self, flags: Self, on: bool) {
                if on { self.insert(flags) } else { self.remove(flags) }
            }
        }

        impl std::ops::BitOr for $type {
            type Output = Self;
            fn bitor(self, other: Self) -> Self {
                self.with(other)
            }
        }

        impl std::ops::BitOrAssign for $type {
            fn bitor_assign(&mut self, other: Self) {
                self.insert(other);
            }
        }

        impl std::ops::BitAnd for $type {
            type Output = Self;
            fn bitand(self, other: Self) -> Self {
                self.intersection(other)
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut rest = *self;
                let mut separator = "";
                f.write_str(concat!(stringify!($type), "("))?;
                $(if rest.contains(Self::$name) {
                    write!(f, "{separator}{}", stringify!($name))?;
                    rest.remove(Self::$name);
                    separator = " | ";
                })*
                if !rest.is_empty() {
                    write!(f, "{separator}{:#x}", rest.bits())?;
                }
                f.write_str(")")
            }
        }
    };
}

pub(crate) use flag_word;

#[cfg(test)]
mod tests {
    flag_word! {
        /// Two flags.
        Two: u8 {
            /// First.
            FIRST = 1;
            /// Second.
            SECOND = 1 << 1;
        }
    }

    #[test]
    fn words_are_sets() {
        let both = Two::FIRST | Two::SECOND;
        assert!(both.contains(Two::FIRST) && both.contains(both));
        assert!(!Two::FIRST.contains(both));
        assert_eq!(both.without(Two::FIRST), Two::SECOND);
        assert_eq!(both & Two::SECOND, Two::SECOND);
        let mut word = Two::empty();
        word.set(Two::FIRST, true);
        word |= Two::SECOND;
        word.set(Two::FIRST, false);
        assert_eq!(word.bits(), 2);
    }

    #[test]
    fn debug_names_what_it_knows() {
        assert_eq!(format!("{:?}", Two::from_bits(0x81)), "Two(FIRST | 0x80)");
        assert_eq!(format!("{:?}", Two::empty()), "Two()");
    }
}
