// Package e2e tests the program as its users see it: the built binary, started
// by scripts with an environment of their own, against a real server.
//
// Each script of testdata has an account of its own on the server, an empty
// home directory, and a configuration for the account "personal" in it. What a
// script can say beyond the commands of testscript stands in commands_test.go.
package e2e
