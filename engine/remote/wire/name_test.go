package wire

import "testing"

func TestDecodeName(t *testing.T) {
	for name, want := range map[string]string{
		"":                       "",
		"INBOX.":                 "INBOX.",
		"&-":                     "&",
		"Andere Ben&APw-tzer.":   "Andere Benützer.",
		"a&-b&AOQ-&-c":           "a&bä&c",
		"&2D3eAA-/&ZeVnLIqe-":    "😀/日本語",
		"~peter/mail/&U,BTFw-/x": "~peter/mail/台北/x",
	} {
		if got, ok := DecodeName(name); got != want || !ok {
			t.Errorf("%q became %q, %v; want %q", name, got, ok, want)
		}
	}
	for _, name := range []string{"&", "a&AOQ", "&AGE-", "ü", "&2D0-", "a\tb"} {
		if got, ok := DecodeName(name); ok {
			t.Errorf("%q became %q", name, got)
		}
	}
}
