package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"mailmoor/config"
)

// textWidth is how wide help texts are, in characters.
const textWidth = 78

// configTopic documents every key of the configuration file.
func configTopic() *cobra.Command {
	return &cobra.Command{Use: "config", Short: "Every key of the configuration file", Long: configHelp()}
}

func configHelp() string {
	var text strings.Builder
	text.WriteString(`The file is $XDG_CONFIG_HOME/mailmoor/config.toml, usually ~/.config/mailmoor/config.toml,
or what --config names; TOML 1.0. Each account is a table [account.NAME]. A key
of an account may also stand at the top of the file: then it holds for all
accounts that do not set it. Keys that do not exist are refused.
`)
	for _, top := range []bool{true, false} {
		title := "In each account, or at the top for all of them:"
		if top {
			title = "At the top only:"
		}
		fmt.Fprintf(&text, "\n%s\n", title)
		for _, key := range config.Keys() {
			if key.Top == top {
				writeKey(&text, key)
			}
		}
	}
	return text.String()
}

func writeKey(text *strings.Builder, key config.Key) {
	note := key.Type
	switch {
	case key.Required:
		note += "; needed"
	case key.Default != "":
		note += "; default " + key.Default
	}
	fmt.Fprintf(text, "\n  %s (%s)\n", key.Name, note)
	meaning := key.Meaning
	if key.Planned {
		meaning += " Not built yet: only the default may be written down."
	}
	for _, line := range wrap(meaning, textWidth-6) {
		fmt.Fprintf(text, "      %s\n", line)
	}
	if key.Example != "" {
		fmt.Fprintf(text, "      %s\n", key.Example)
	}
}

// wrap breaks a text into lines of at most width characters.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
