package clients

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"postfach/test/server"
)

const goimapWait = 10 * time.Second

// goimapUser is a session of go-imap's client, and what it is told unasked.
type goimapUser struct {
	*imapclient.Client
	t        *testing.T
	exists   chan uint32
	expunged chan uint32
}

func goimap(t *testing.T, s *server.Server, kind string) *goimapUser {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(s.Data, "tls-cert.pem"))
	must(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	g := &goimapUser{t: t, exists: make(chan uint32, 100), expunged: make(chan uint32, 100)}
	o := &imapclient.Options{
		TLSConfig: &tls.Config{RootCAs: roots, ServerName: "localhost"},
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Expunge: func(n uint32) { g.expunged <- n },
			Mailbox: func(d *imapclient.UnilateralDataMailbox) {
				if d.NumMessages != nil {
					g.exists <- *d.NumMessages
				}
			},
		},
	}
	switch kind {
	case "imaps":
		g.Client, err = imapclient.DialTLS(s.IMAPS, o)
	case "starttls":
		g.Client, err = imapclient.DialStartTLS(s.IMAP, o)
	default:
		g.Client, err = imapclient.DialInsecure(s.IMAP, o)
	}
	must(t, err)
	t.Cleanup(func() { g.Close() })
	must(t, g.Login(user, server.Password).Wait())
	return g
}

func (g *goimapUser) append(mailbox string, m []byte, flags ...imap.Flag) *imap.AppendData {
	g.t.Helper()
	cmd := g.Append(mailbox, int64(len(m)), &imap.AppendOptions{Flags: flags, Time: time.Unix(1767322800, 0)})
	_, err := cmd.Write(m)
	must(g.t, err)
	must(g.t, cmd.Close())
	data, err := cmd.Wait()
	must(g.t, err)
	return data
}

func (g *goimapUser) searchUIDs(criteria *imap.SearchCriteria) []imap.UID {
	g.t.Helper()
	data, err := g.UIDSearch(criteria, nil).Wait()
	must(g.t, err)
	return data.AllUIDs()
}

func (g *goimapUser) store(set imap.NumSet, op imap.StoreFlagsOp, silent bool, flags ...imap.Flag) []*imapclient.FetchMessageBuffer {
	g.t.Helper()
	all, err := g.Store(set, &imap.StoreFlags{Op: op, Silent: silent, Flags: flags}, nil).Collect()
	must(g.t, err)
	return all
}

func (g *goimapUser) told(what chan uint32, want uint32) {
	g.t.Helper()
	select {
	case n := <-what:
		if n != want {
			g.t.Errorf("told %d, want %d", n, want)
		}
	case <-time.After(goimapWait):
		g.t.Errorf("not told %d", want)
	}
}

// TestGoImap runs a session of emersion/go-imap's client on each kind of connection.
func TestGoImap(t *testing.T) {
	s := start(t, server.Options{})
	for _, kind := range []string{"plain", "starttls", "imaps"} {
		t.Run(kind, func(t *testing.T) {
			g := goimap(t, s, kind)
			box := "go-" + kind
			goimapMailboxes(t, g, box)
			goimapMessages(t, g, box)
			goimapFlags(t, g, box)
			goimapMove(t, g, box)
			goimapIdle(t, g, goimap(t, s, kind), box)
			must(t, g.Logout().Wait())
		})
	}
}

func goimapMailboxes(t *testing.T, g *goimapUser, box string) {
	must(t, g.Create(box, nil).Wait())
	if g.Create(box, nil).Wait() == nil {
		t.Error("a mailbox was created twice")
	}
	must(t, g.Create(box+"/Ordner für Müll", nil).Wait())
	all, err := g.List("", "*", nil).Collect()
	must(t, err)
	var names []string
	for _, l := range all {
		names = append(names, l.Mailbox)
		if l.Mailbox == "Sent" && !slices.Contains(l.Attrs, imap.MailboxAttrSent) {
			t.Errorf("Sent has %v", l.Attrs)
		}
	}
	for _, want := range []string{"INBOX", "Trash", box, box + "/Ordner für Müll"} {
		if !slices.Contains(names, want) {
			t.Errorf("LIST has no %s: %v", want, names)
		}
	}
	must(t, g.Rename(box+"/Ordner für Müll", box+"/copies", nil).Wait())
	if _, err := g.Select("nowhere", nil).Wait(); err == nil {
		t.Error("a mailbox that is not there was selected")
	}
}

func goimapMessages(t *testing.T, g *goimapUser, box string) {
	for n := range 10 {
		data := g.append(box, message(n), imap.FlagFlagged)
		if data.UID != imap.UID(n+1) || data.UIDValidity == 0 {
			t.Errorf("APPENDUID %+v", data)
		}
	}
	status, err := g.Status(box, &imap.StatusOptions{NumMessages: true, UIDNext: true, UIDValidity: true, NumUnseen: true}).Wait()
	must(t, err)
	if *status.NumMessages != 10 || *status.NumUnseen != 10 || status.UIDNext != 11 {
		t.Errorf("STATUS %+v", status)
	}
	selected, err := g.Select(box, nil).Wait()
	must(t, err)
	if selected.NumMessages != 10 || selected.UIDValidity != status.UIDValidity || !slices.Contains(selected.PermanentFlags, imap.FlagWildcard) {
		t.Errorf("SELECT %+v", selected)
	}
	uids := g.searchUIDs(&imap.SearchCriteria{
		Header: []imap.SearchCriteriaHeaderField{{Key: "Subject", Value: "message 7"}}, Flag: []imap.Flag{imap.FlagFlagged},
	})
	if !slices.Equal(uids, []imap.UID{8}) {
		t.Errorf("SEARCH SUBJECT: %v", uids)
	}
	whole := &imap.FetchItemBodySection{Peek: true}
	fetched, err := g.Fetch(imap.UIDSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
		UID: true, Flags: true, RFC822Size: true, InternalDate: true, Envelope: true,
		BodyStructure: &imap.FetchItemBodyStructure{Extended: true}, BodySection: []*imap.FetchItemBodySection{whole},
	}).Collect()
	must(t, err)
	if len(fetched) != 10 {
		t.Fatalf("%d messages fetched", len(fetched))
	}
	for n, m := range fetched {
		if !bytes.Equal(m.FindBodySection(whole), message(n)) || m.RFC822Size != int64(len(message(n))) || m.UID != imap.UID(n+1) {
			t.Errorf("message %d: %+v", n, m)
		}
		if m.Envelope == nil || !strings.HasPrefix(m.Envelope.Subject, "message ") || m.Envelope.From[0].Name != "Jörg" || m.InternalDate.Unix() != 1767322800 {
			t.Errorf("message %d: envelope %+v, date %v", n, m.Envelope, m.InternalDate)
		}
		if want := map[bool]string{true: "multipart/mixed", false: "text/plain"}[n%5 == 3]; m.BodyStructure == nil || m.BodyStructure.MediaType() != want {
			t.Errorf("message %d: structure %+v", n, m.BodyStructure)
		}
	}
}

func goimapFlags(t *testing.T, g *goimapUser, box string) {
	told := g.store(imap.SeqSetNum(1, 2), imap.StoreFlagsAdd, false, imap.FlagSeen, "label")
	if len(told) != 2 || !slices.Contains(told[1].Flags, imap.Flag("label")) {
		t.Errorf("STORE told %+v", told)
	}
	g.store(imap.UIDSetNum(2), imap.StoreFlagsDel, true, imap.FlagSeen)
	if uids := g.searchUIDs(&imap.SearchCriteria{Flag: []imap.Flag{imap.FlagSeen}}); !slices.Equal(uids, []imap.UID{1}) {
		t.Errorf("SEARCH SEEN: %v", uids)
	}
	g.store(imap.UIDSetNum(3, 4), imap.StoreFlagsSet, true, imap.FlagDeleted)
	gone, err := g.UIDExpunge(imap.UIDSetNum(4, 9)).Collect()
	must(t, err)
	if !slices.Equal(gone, []uint32{4}) {
		t.Errorf("UID EXPUNGE: %v", gone)
	}
	gone, err = g.Expunge().Collect()
	must(t, err)
	if !slices.Equal(gone, []uint32{3}) || g.Mailbox().NumMessages != 8 {
		t.Errorf("EXPUNGE: %v, %d left", gone, g.Mailbox().NumMessages)
	}
}

func goimapMove(t *testing.T, g *goimapUser, box string) {
	copied, err := g.Copy(imap.UIDSetNum(5, 6), box+"/copies").Wait()
	must(t, err)
	if copied.DestUIDs.String() != "1:2" || copied.SourceUIDs.String() != "5:6" {
		t.Errorf("COPYUID %+v", copied)
	}
	moved, err := g.Move(imap.UIDSetNum(7, 10), box+"/copies").Wait()
	must(t, err)
	if dest, _ := moved.DestUIDs.(imap.UIDSet); dest.String() != "3:4" {
		t.Errorf("MOVE: COPYUID %+v", moved)
	}
	if uids := g.searchUIDs(&imap.SearchCriteria{}); !slices.Equal(uids, []imap.UID{1, 2, 5, 6, 8, 9}) {
		t.Errorf("left after MOVE: %v", uids)
	}
}

// goimapIdle hears in one session what another does.
func goimapIdle(t *testing.T, g, other *goimapUser, box string) {
	for len(g.exists)+len(g.expunged) > 0 {
		select {
		case <-g.exists:
		case <-g.expunged:
		}
	}
	idle, err := g.Idle()
	must(t, err)
	other.append(box, message(1))
	g.told(g.exists, 7)
	_, err = other.Select(box, nil).Wait()
	must(t, err)
	other.store(imap.SeqSetNum(3), imap.StoreFlagsAdd, true, imap.FlagDeleted)
	_, err = other.Expunge().Collect()
	must(t, err)
	g.told(g.expunged, 3)
	must(t, idle.Close())
	must(t, idle.Wait())
}
