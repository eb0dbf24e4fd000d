// Kube is the Kubernetes programs of a control plane and of a node in one file, each of them upstream's own code. Called by a program's name
// (a link) it is that program; `kube PROGRAM ...` is the same. Build tags choose what is inside: everything, `control_plane` alone or `node` alone.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

// programs is what this build holds; each file with a build tag adds its part. A program finds its arguments in os.Args.
var programs = map[string]func(){}

func component(command func() *cobra.Command) func() {
	return func() { os.Exit(cli.Run(command())) }
}

func main() {
	if filepath.Base(os.Args[0]) == "kube" {
		os.Args = os.Args[1:]
	}
	if len(os.Args) > 0 {
		if run, known := programs[filepath.Base(os.Args[0])]; known {
			run()
			return
		}
	}
	names := slices.Sorted(maps.Keys(programs))
	fmt.Fprintf(os.Stderr, "usage: kube PROGRAM [ARGUMENT]...\nprograms: %s\n", strings.Join(names, " "))
	os.Exit(2)
}
