package imap

// families is the table of contents: everything this server can do.
var families = []*family{
	&coreAny,
	&extRev2, // beside IMAP4rev1, where clients look for it
	&coreAppend,
	&coreCopy,
	&coreFetch,
	&coreList,
	&coreLogin,
	&coreMailboxes,
	&coreMessages,
	&coreSearch,
	&coreSelect,
	&coreStatus,
	&extAppendLimit,
	&extBinary,
	&extCatenate,
	&extChildren,
	&extCompress,
	&extCondstore,
	&extContext,
	&extContextSort,
	&extEnable,
	&extEsearch,
	&extEsort,
	&extFilters,
	&extFuzzy,
	&extI18NLevel,
	&extID,
	&extIdle,
	&extInProgress,
	&extListExtended,
	&extListMetadata,
	&extListStatus,
	&extLiteral,
	&extMessageLimit,
	&extMetadata,
	&extMove,
	&extMultiAppend,
	&extMultiSearch,
	&extNamespace,
	&extNotify,
	&extObjectID,
	&extObjectIDPlus,
	&extPartial,
	&extPreview,
	&extQresync,
	&extReplace,
	&extSASLIR,
	&extSaveDate,
	&extSearchRes,
	&extSort,
	&extSortDisplay,
	&extSpecialUse,
	&extStatusSize,
	&extThread,
	&extThreadRefs,
	&extUIDBatches,
	&extUIDOnly,
	&extUIDPlus,
	&extUnauthenticate,
	&extUnselect,
	&extURLPartial,
	&extUTF8,
	&extWithin,
}

// Extensions are the names of all families: those that Options.Without can have.
func Extensions() (names []string) {
	for _, f := range families {
		names = append(names, f.name)
	}
	return names
}

// commandTable finds a command by its name in capitals; UID forms have their
// prefix.
var commandTable = map[string]*commandEntry{}

// commandEntry is a command in the table. Sessions keep a request for each number.
type commandEntry struct {
	*command
	family  *family
	number  int
	word    string // what it is in the table by
	uid     bool
	numbers numbers
}

// The bounds and ends of all families: every command asks for them.
var (
	allBounds []bound
	allEnds   []func(*session)
)

// rowsOf is families for the functions in its rows, which could not name it: the table would
// be made of itself.
var rowsOf []*family

func init() {
	rowsOf = families
	for _, f := range families {
		allBounds, allEnds = append(allBounds, f.bounds...), append(allEnds, f.ends...)
		for i := range f.commands {
			c := &f.commands[i]
			if !c.uidOnly {
				enter(c.name, &commandEntry{command: c, family: f, numbers: c.numbers})
			}
			if c.uid || c.uidOnly {
				enter("UID "+c.name, &commandEntry{command: c, family: f, uid: true, numbers: breaksNumbers})
			}
		}
	}
}

func enter(name string, e *commandEntry) {
	e.number, e.word = len(commandTable), name
	commandTable[name] = e
}

// eachRow calls f for every row that a list of families has of one kind.
func eachRow[R any](rows func(*family) []R, f func(R)) {
	for _, fam := range rowsOf {
		for _, r := range rows(fam) {
			f(r)
		}
	}
}
