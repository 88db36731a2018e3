//! The fingerprint of RSA keys whose primes are powers of 65537 (ROCA, CVE-2017-15361).
//!
//! Nemec, Sys, Svenda, Klinec and Matyas, "The Return of Coppersmith's Attack" (CCS 2017), section 2: such a
//! modulus lies, modulo every small prime, in the group that 65537 generates. An honest one does so for all
//! these primes with a chance of about one in 2^27.

const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
    107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Whether a big-endian modulus bears the fingerprint.
pub(super) fn is_weak(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|&prime| {
        let rest = modulus.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        generated(prime, rest)
    })
}

/// Whether `wanted` is a power of 65537 modulo this prime.
fn generated(prime: u32, wanted: u32) -> bool {
    let mut power = 1;
    for _ in 0..prime {
        if power == wanted {
            return true;
        }
        power = power * 65_537 % prime;
    }
    false
}
