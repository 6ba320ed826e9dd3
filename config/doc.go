// Package config turns the configuration file into a validated Config.
//
// The file is TOML. Keys at the top of the file are defaults for all accounts;
// a table [account.NAME] describes one account and wins over them. Every key
// stands in the table that Keys returns, with its type, its default and its
// meaning; there is no key outside of it, and a key that is not in it is an
// error that names the nearest known one.
//
// Load reports everything that is wrong with the file at once, as an *Error.
// Each Problem names the place, the key with its account, and what is wrong in
// words that need no knowledge of Go.
//
// Secrets stay references as long as possible: password_command is run only by
// Account.Secret. A password that stands in the file is a Secret, which prints
// as "***" whatever prints it.
package config
