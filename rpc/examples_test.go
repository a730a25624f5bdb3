package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/cablestay/cablestay/rpc"
)

func ExampleNewClient() {
	client, err := rpc.NewClient(rpc.Options{RailsURL: "unix:///run/puma.sock", Secret: os.Getenv("CABLESTAY_SECRET")})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	hello, err := client.Hello(context.Background())
	switch {
	case errors.Is(err, rpc.ErrUnproven), errors.Is(err, rpc.ErrNoEndpoint), errors.Is(err, rpc.ErrOtherContract):
		fmt.Println("stop:", err)
		return
	case err != nil:
		fmt.Println("Rails is away:", err)
		return
	}
	client.SetConcurrency(hello.Concurrency)
}

func ExampleNewClient_badURL() {
	_, err := rpc.NewClient(rpc.Options{RailsURL: "https://127.0.0.1:3000", Secret: "secret"})
	fmt.Println(err)
	// Output:
	// the Rails URL "https://127.0.0.1:3000" is https, which the bridge does not speak with Rails: they are neighbours; it must be like http://127.0.0.1:3000 or unix:///run/puma.sock
}
