// The independent peer of the tunnel's test: remotedialer's own client, as an agent uses it.
//
// peer URL CA CERTIFICATE KEY TARGET: connects and dials TARGET, whatever address it is asked for.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"

	"github.com/gorilla/websocket"
	"github.com/rancher/remotedialer"
)

func main() {
	ca, err := os.ReadFile(os.Args[2])
	check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	pair, err := tls.LoadX509KeyPair(os.Args[3], os.Args[4])
	check(err)
	ws := &websocket.Dialer{TLSClientConfig: &tls.Config{
		RootCAs: roots, ServerName: "server", Certificates: []tls.Certificate{pair},
	}}
	allow := func(proto, address string) bool { return proto == "tcp" }
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, os.Args[5])
	}
	check(remotedialer.ConnectToProxyWithDialer(context.Background(), os.Args[1], nil, allow, ws, dial, nil))
}

func check(err error) {
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
}
