package imapclient

import (
	"math"
	"strings"

	"postfach/internal/wire"
)

const (
	capabilitiesMax       = 1000
	literalMinusBytesMax  = 4096 // RFC 7888 5
	capabilityIMAP4rev2   = "IMAP4REV2"
	capabilityLiteralPlus = "LITERAL+"
)

// Capability asks for the server's capabilities.
func (c *Client) Capability() (map[string]bool, error) {
	c.setCapabilities(nil)
	if _, err := c.Run("CAPABILITY"); err != nil {
		return nil, err
	}
	return c.caps, nil
}

// Has tells whether the server has a capability, given in capitals. It asks the server
// only when it has not said so by itself since the last login or STARTTLS. With an error
// of the connection it is false.
func (c *Client) Has(capability string) bool {
	if c.caps == nil {
		if _, err := c.Capability(); err != nil {
			return false
		}
	}
	return c.caps[capability]
}

func (c *Client) readCapabilities(p *wire.Parser) {
	var words []string
	for p.TrySP() && len(words) < capabilitiesMax {
		if p.AtEnd() {
			break // a space too many is harmless
		}
		words = append(words, string(p.Atom()))
	}
	if p.Err() == nil {
		c.setCapabilities(words)
	}
}

// noteCapabilities takes the code CAPABILITY (RFC 9051 7.1).
func (c *Client) noteCapabilities(s *Status) {
	if s.Code == "CAPABILITY" {
		c.setCapabilities(strings.Fields(s.Arg))
	}
}

func (c *Client) setCapabilities(words []string) {
	c.caps = nil
	if words != nil {
		c.caps = make(map[string]bool, len(words))
	}
	for _, w := range words[:min(len(words), capabilitiesMax)] {
		c.caps[strings.ToUpper(w)] = true
	}
	c.w.LiteralPlusMax = 0
	switch {
	case c.caps[capabilityLiteralPlus]:
		c.w.LiteralPlusMax = math.MaxInt64
	case c.caps["LITERAL-"], c.caps[capabilityIMAP4rev2]: // RFC 9051 appendix E
		c.w.LiteralPlusMax = literalMinusBytesMax
	}
}

// Enable turns extensions on (RFC 5161). From IMAP4rev2 or UTF8=ACCEPT on, mailbox names
// travel in UTF-8.
func (c *Client) Enable(names ...string) error {
	cmd := c.simple(append([]string{"ENABLE"}, names...)...)
	cmd.data = func(word []byte, p *wire.Parser) bool {
		if !wire.Is(word, "ENABLED") {
			return false
		}
		for p.TrySP() && !p.AtEnd() {
			if name := p.Atom(); wire.Is(name, capabilityIMAP4rev2) || wire.Is(name, "UTF8=ACCEPT") {
				c.w.NamesUTF8, c.w.QuotedUTF8, p.NamesUTF8 = true, true, true
			}
		}
		return true
	}
	return cmd.wait()
}
