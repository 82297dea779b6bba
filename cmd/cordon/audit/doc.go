// Package audit keeps the log of what was in force when, and what it did: JSON lines, append-only, each with the hash of the one before.
package audit
