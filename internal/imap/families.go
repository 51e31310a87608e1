package imap

// families is the table of contents: everything this server can do.
var families = []*family{
	&coreAny,
	&coreLogin,
	&coreMailboxes,
	&coreList,
	&coreStatus,
	&coreAppend,
	&coreSelect,
	&coreMessages,
	&coreFetch,
	&coreSearch,
	&coreCopy,
	&extAppendLimit,
	&extBinary,
	&extCatenate,
	&extChildren,
	&extEnable,
	&extID,
	&extIdle,
	&extLiteral,
	&extMove,
	&extMultiAppend,
	&extNamespace,
	&extReplace,
	&extSASLIR,
	&extSpecialUse,
	&extUIDPlus,
	&extUnselect,
	&extURLPartial,
	&extUTF8,
}

// commandTable finds a command by its name in capitals; UID forms have their
// prefix.
var commandTable = map[string]*commandEntry{}

// commandEntry is a command in the table. Sessions keep a request for each number.
type commandEntry struct {
	*command
	number  int
	uid     bool
	numbers numbers
}

func init() {
	for _, f := range families {
		for i := range f.commands {
			c := &f.commands[i]
			if !c.uidOnly {
				enter(c.name, &commandEntry{command: c, numbers: c.numbers})
			}
			if c.uid || c.uidOnly {
				enter("UID "+c.name, &commandEntry{command: c, uid: true, numbers: breaksNumbers})
			}
		}
	}
}

func enter(name string, e *commandEntry) {
	e.number = len(commandTable)
	commandTable[name] = e
}

// eachRow calls f for every row that a list of families has of one kind.
func eachRow[R any](rows func(*family) []R, f func(R)) {
	for _, fam := range families {
		for _, r := range rows(fam) {
			f(r)
		}
	}
}
