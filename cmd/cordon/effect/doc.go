// Package effect says what a change of the policy changes in effect.
package effect
