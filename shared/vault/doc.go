// Package vault keeps personal data at rest: sealed, found again only by a
// keyed hash, shown only masked.
//
// Three needs, three keys, none of which can stand in for another:
//
//   - [Vault.Seal] and [Vault.Open]: names and numbers that must be read again,
//     under AES-256-GCM. A sealed text is bound to its place: copied into
//     another record it does not open.
//   - [Vault.Index]: numbers that must be found again ("who has this ID
//     number?"). ID numbers are few enough to try them all against a plain
//     hash, so the hash is keyed.
//   - [Vault.QRDigits] and [Vault.QRHash]: the digits of a code on a screen.
//
// [MaskName] and [MaskID] are what people see of a name or a number.
//
// The keys are one small document ([ParseKeys]). A [Source] says where it comes
// from: a file on this machine ([File]), or a key service in the cloud. Neither
// [Keys] nor [Vault] shows its content to fmt, slog or encoding/json, and no
// error of this package repeats key bytes or a text it was given.
package vault
