package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"

	"github.com/spf13/cobra"
)

// profiles are the files for which a run notes where its time and its memory go; an
// empty name asks for none. Help does not show these flags: they are for those who work
// on the program, with "go tool pprof".
type profiles struct{ cpu, memory string }

// addFlags gives the command the flags that fill p.
func (p *profiles) addFlags(cmd *cobra.Command) {
	const cpu, memory = "cpuprofile", "memprofile"
	flags := cmd.Flags()
	flags.StringVar(&p.cpu, cpu, "", "write where processor time goes to this file")
	flags.StringVar(&p.memory, memory, "", "write where memory was allocated to this file")
	flags.Lookup(cpu).Hidden, flags.Lookup(memory).Hidden = true, true
}

// profiled runs do and writes the profiles of it, of a run that fails, too.
func (a *app) profiled(p profiles, do func() error) error {
	stop, err := p.start()
	if err != nil {
		return err
	}
	err = do()
	if stopErr := stop(); stopErr != nil {
		a.ui.failure("", stopErr)
		if err == nil {
			return ending(exitFailed)
		}
	}
	return err
}

// start makes the files, so that a wrong name is said before the work and not after it.
func (p profiles) start() (stop func() error, err error) {
	var cpu, memory *os.File
	if p.memory != "" {
		if memory, err = os.Create(p.memory); err != nil {
			return nil, fmt.Errorf("profile the memory: %w", err)
		}
	}
	if p.cpu != "" {
		if cpu, err = os.Create(p.cpu); err == nil {
			err = pprof.StartCPUProfile(cpu)
		}
		if err != nil {
			return nil, fmt.Errorf("profile the processor: %w", err)
		}
	}
	return func() error {
		var cpuErr, memoryErr error
		if cpu != nil {
			pprof.StopCPUProfile()
			cpuErr = cpu.Close()
		}
		if memory != nil {
			runtime.GC() // otherwise what was allocated last is missing
			memoryErr = errors.Join(pprof.Lookup("allocs").WriteTo(memory, 0), memory.Close())
		}
		return errors.Join(cpuErr, memoryErr)
	}, nil
}
