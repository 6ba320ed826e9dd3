package store

import "testing"

func TestNetworkKind(t *testing.T) {
	for magic, want := range map[uint32]string{
		0x6969: "NFS", 0xff534d42: "SMB", 0xfe534d42: "SMB", 0x517b: "SMB", 0x01021997: "9P",
		0xef53: "", 0x9123683e: "", 0x58465342: "", 0x01021994: "", 0x65735546: "",
	} {
		if got := networkKind(magic); got != want {
			t.Errorf("file system %#x is %q, want %q", magic, got, want)
		}
	}
}
