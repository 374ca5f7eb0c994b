//! `keep_last = 1`: a whole number.

use syn::LitInt;

/// Reads a number that must fit into `N`.
///
/// # Errors
/// Says how large it may be.
pub(crate) fn parse<N: std::str::FromStr<Err: std::fmt::Display>>(
    number: &LitInt,
) -> Result<N, String> {
    let bits = 8 * size_of::<N>();
    number
        .base10_parse::<N>()
        .map_err(|_| format!("`{number}` is too large; write less than 2^{bits}"))
}
