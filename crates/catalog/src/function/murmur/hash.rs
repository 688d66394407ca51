//! Murmur3 of 32 bits over UTF-16 units, as Guava's `hashUnencodedChars`: the bytes of a unit are little endian.

/// A hash under way. It is taken unit by unit, so that a name that goes on from another costs its own units only.
#[derive(Debug, Clone, Copy)]
pub(super) struct Murmur {
    state: u32,
    /// The first unit of a block that is not whole yet.
    waiting: Option<u16>,
    units: u32,
}

impl Murmur {
    pub(super) fn new(seed: i32) -> Self {
        Self { state: seed.cast_unsigned(), waiting: None, units: 0 }
    }

    pub(super) fn with(mut self, text: &str) -> Self {
        for unit in text.encode_utf16() {
            self.units = self.units.wrapping_add(1);
            self.waiting = match self.waiting {
                None => Some(unit),
                Some(first) => {
                    let mixed = self.state ^ mix(u32::from(first) | u32::from(unit) << 16);
                    self.state = mixed.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
                    None
                }
            };
        }
        self
    }

    pub(super) fn finish(self) -> i32 {
        let tail = self.waiting.map_or(0, |unit| mix(unit.into()));
        let mut hash = self.state ^ tail ^ self.units.wrapping_mul(2);
        hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
        hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
        (hash ^ hash >> 16).cast_signed()
    }
}

fn mix(block: u32) -> u32 {
    block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}
