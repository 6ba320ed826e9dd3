package maildir

import (
	"context"
	"errors"
	"io"
	"os"

	"mailmoor/state"
)

// Open returns an Upload for the file. The file is opened only when the Upload is,
// so that a large batch does not hold many files open.
func (t *Tree) Open(ctx context.Context, path string, m state.LocalMessage) (state.Upload, error) {
	if err := ctx.Err(); err != nil {
		return state.Upload{}, err
	}
	if m.Content.Digest == (state.Digest{}) {
		return state.Upload{}, stale(state.Textf("read %s/%s", path, m.Key), "its content has not been identified")
	}
	file, err := t.openSame(ctx, path, m)
	if err != nil {
		return state.Upload{}, err
	}
	if err := file.Close(); err != nil {
		return state.Upload{}, wrap(state.ScopeMessage, err, "read %s/%s", path, m.Key)
	}
	return state.Upload{
		Key: m.Key, Flags: m.Flags, Date: clampDate(m.Date), Size: m.Content.WireSize,
		Open: func() (io.ReadCloser, error) {
			file, err := t.openSame(ctx, path, m)
			if err != nil {
				return nil, err
			}
			return newUploadReader(ctx, file, path, m), nil
		},
	}, nil
}

// openSame opens the file of m if it still is the one that m describes.
func (t *Tree) openSame(ctx context.Context, path string, m state.LocalMessage) (*os.File, error) {
	doing := state.Textf("read %s/%s", path, m.Key)
	f, err := t.openFolder(path)
	if err != nil {
		return nil, err
	}
	defer f.close()
	for range triesMax {
		e, err := t.find(ctx, f, m.Key, m.Flags, doing)
		if err != nil {
			return nil, err
		}
		file, st, err := f.openMessage(e)
		if renamed(err) {
			continue
		}
		if unusable(err) {
			return nil, stale(doing, "%w", err)
		}
		if err != nil {
			return nil, wrap(state.ScopeMessage, err, "%s", doing)
		}
		if fileStat(st) != m.Stat {
			return nil, errors.Join(stale(doing, "the file was edited since it was scanned"), file.Close())
		}
		return file, nil
	}
	return nil, errRestless(doing)
}

// uploadReader yields exactly the bytes that were identified, in canonical form,
// or an error before the last of them: a message that changes under way must not
// become a complete message on the server.
type uploadReader struct {
	file   *os.File
	in     *canonicalReader
	digest *state.Digester
	doing  state.Text
	want   state.LocalMessage
	left   int64
	err    error
}

func newUploadReader(ctx context.Context, file *os.File, path string, m state.LocalMessage) *uploadReader {
	return &uploadReader{
		file: file, in: newCanonicalReader(contextReader{ctx, file}), digest: state.NewDigester(),
		doing: state.Textf("read %s/%s", path, m.Key), want: m, left: m.Content.WireSize,
	}
}

// Read yields the next bytes. The last ones come only after the whole file has
// been found to be what was expected.
func (r *uploadReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.in.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	r.digest.Write(p[:n])
	switch {
	case errors.Is(err, io.EOF):
		r.err = stale(r.doing, "the file became shorter while it was read: %w", io.ErrUnexpectedEOF)
	case err != nil:
		r.err = wrap(state.ScopeMessage, err, "%s", r.doing)
	case r.left == 0:
		r.err = r.verify()
	}
	if r.err != nil {
		return 0, r.err
	}
	return n, nil
}

// verify looks at the file after its last byte was read.
func (r *uploadReader) verify() error {
	if n, err := r.in.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		return stale(r.doing, "the file became longer while it was read")
	}
	st, err := fstat(r.file)
	if err != nil {
		return wrap(state.ScopeMessage, err, "%s", r.doing)
	}
	if fileStat(st) != r.want.Stat || r.digest.Sum().Digest != r.want.Content.Digest {
		return stale(r.doing, "the file was edited while it was read")
	}
	return nil
}

// Close ends the upload.
func (r *uploadReader) Close() error { return r.file.Close() }
