package blocklists

import (
	"github.com/gaissmai/bart"

	"cordon/blocklists/domain"
)

// settle resolves what rules say of other rules, when all of them are there: afterwards a look-up has to compare no more than
// the lengths of names.
func (c *compactor) settle() error {
	if !c.allowing {
		return nil
	}
	c.cancelNames()
	c.cancelNetworks()
	return c.markHoles()
}

// cancelNames takes what blocks out of the records below a cancelled name, and makes the cancels plain allows.
func (c *compactor) cancelNames() {
	var canceling []uint32
	for place, name := range c.arena.records() {
		said := c.arena.ruling(place, len(name))
		if said.cancelsAny() {
			canceling = append(canceling, place)
		}
		if said.blocks() && c.isCanceled(name) {
			c.canceled++
			c.arena.setRuling(place, len(name), said.withoutBlocks())
		}
	}
	for _, place := range canceling {
		size := len(wireName(c.arena.at(place)))
		c.arena.setRuling(place, size, c.arena.ruling(place, size).settled())
	}
}

// isCanceled says whether a name above name cancels what is below it.
func (c *compactor) isCanceled(name []byte) bool {
	for start, h := range suffixHashes(c.key, name) {
		if start > 0 && c.said(h, name[start:]).below == cancels {
			return true
		}
	}
	return false
}

// said returns what the record of a name says, nothing if there is none.
func (c *compactor) said(h uint64, name []byte) ruling {
	if _, place := c.find(h, name[:len(name)-1]); place > 0 {
		return c.arena.ruling(place, len(name))
	}
	return ruling{}
}

// markHoles notes, at every name that is blocked and has an allowed name below it, that it has one.
func (c *compactor) markHoles() error {
	for place, name := range c.arena.records() {
		if !c.arena.ruling(place, len(name)).allows() {
			continue
		}
		if err := c.markAbove(name); err != nil {
			return err
		}
	}
	c.flush()
	return nil
}

func (c *compactor) markAbove(name []byte) error {
	blocked := false
	for start, h := range suffixHashes(c.key, name) {
		if start == 0 {
			break
		}
		said := c.said(h, name[start:])
		if said.below != Nothing {
			blocked = said.below == Blocks
		}
		if !blocked || said.holed {
			continue
		}
		if err := c.addName(domain.Name(name[start:]), ruling{holed: true}); err != nil {
			return err
		}
	}
	return nil
}

// cancelNetworks drops the networks that block within a cancelled one, and makes the cancels plain allows.
func (c *compactor) cancelNetworks() {
	var canceled bart.Lite
	for prefix, said := range c.networks {
		if said.cancelsAny() {
			canceled.Insert(prefix)
			c.networks[prefix] = said.settled()
		}
	}
	for prefix, said := range c.networks {
		if said.blocks() && canceled.LookupPrefix(prefix) {
			c.canceled++
			delete(c.networks, prefix)
		}
	}
}
