// Package manual writes the pages that man(1) shows, out of what the program knows of itself: its commands, with their flags and examples,
// and the keys of its files.
//
//	*cobra.Command ─▶ Commands ─┐
//	                            ├─▶ Page ─▶ man1/cordon-serve.1, man5/cordon.yaml.5
//	config.Key ─────▶ File ─────┘
//
// A page is in the language of man(7), in ASCII, by the same macros that groff and mandoc have. Its date is that of the commit which the
// program is of, so that the same commit has the same pages. What a page says is written where it is used: in the commands themselves and
// in the comments of package config.
package manual
