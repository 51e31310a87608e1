package mem_test

import (
	"testing"

	"postfach/internal/store/mem"
	"postfach/internal/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Config {
		s := mem.New(storetest.Env())
		return storetest.Config{Open: func() (storetest.Store, error) { return s, nil }, Volatile: true, Exact: true}
	})
}

func TestSharedStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Config {
		s := mem.New(storetest.Env(), mem.Shared(), mem.ManualSync())
		return storetest.Config{Open: func() (storetest.Store, error) { return s, nil }, Volatile: true, Exact: true}
	})
}
