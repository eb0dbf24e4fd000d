//go:build !node

package main

import (
	"os"
	_ "time/tzdata" // time zones of CronJobs, where no zone files are installed

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func init() {
	programs["etcd"] = func() { etcdmain.Main(os.Args) }
	programs["kube-apiserver"] = component(apiserver.NewAPIServerCommand)
	programs["kube-controller-manager"] = component(controllermanager.NewControllerManagerCommand)
	programs["kube-scheduler"] = component(func() *cobra.Command { return scheduler.NewSchedulerCommand() })
}
