package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"cordon/cmd/cordon/wording"
	"cordon/config"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [service|policy]",
		Short: "Print the JSON Schema of the files, for editors",
		Long: "Print the JSON Schema (draft 7) of a service file, of a file of the policy directory, or, without an argument, one that\n" +
			"tells them apart by their keys. An editor that knows it completes keys, shows what each means, and underlines what is\n" +
			"wrong. It can't know what `cordon check` knows: that a name is there, that dates are in order.",
		Example: "  cordon schema >~/.config/cordon.schema.json\n" +
			"  # and at the top of a file: yaml-language-server: $schema=/home/me/.config/cordon.schema.json",
		ValidArgs: []string{string(config.ServiceFile), string(config.PolicyFile)},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("schema: found %s, want one or none: service or policy", wording.Count(len(args), "argument"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			kind := config.FileKind("")
			if len(args) == 1 {
				kind = config.FileKind(args[0])
			}
			switch kind {
			case "", config.ServiceFile, config.PolicyFile:
			default:
				return fmt.Errorf("schema: found %q, want service or policy, or nothing for both in one", args[0])
			}
			_, err := cmd.OutOrStdout().Write(config.Schema(kind))
			return err
		},
	}
}
