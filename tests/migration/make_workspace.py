"""Makes ``workspace.zip``: a workspace as the first version of Segue left it, after two runs.

It has to be run with that version's code: ``git archive be69f0d src packages | tar x -C OLD`` and then
``PYTHONPATH=OLD/src:OLD/packages/klaviyo-emulator/src python tests/migration/make_workspace.py``. What it wrote is kept in the
repository; newer code makes other files.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import zipfile
from pathlib import Path

from klaviyo_emulator import serve
from segue.delivery.progress import Quiet
from segue.services.configuration import apply_files
from segue.services.workspace import init_workspace, open_workspace
from segue.settings import Settings
from segue.workflow.run import Runner

CONFIGURATION = """version: 1
databases: [{{name: shop, engine: duckdb, tables: {{People: {folder}/people.csv}}}}]
credentials: [{{name: klaviyo, type: klaviyo, api_key: pk_test, base_url: "{url}"}}]
queries: [{{name: People, database: shop, status: active, sql: "SELECT email, first_name, city FROM People"}}]
destinations: [{{name: Klaviyo, plugin: klaviyo, credential: klaviyo}}]
data_templates: [{{name: Template, destination: Klaviyo, list_name: People, use_full_profile: true}}]
orchestrations:
  - {{name: People to Klaviyo, query: People, destination: Klaviyo, data_template: Template, workflow: manual}}
"""


def main(target: Path) -> None:
    """Two runs: twenty people, then one of them changed, one gone and one new."""
    folder = Path(tempfile.mkdtemp())
    settings = Settings.from_env({"SEGUE_HOME": str(folder / "home"), "SEGUE_RATE_SCALE": "0"})
    init_workspace(settings)
    with serve(limit_scale=0) as emulator:
        (folder / "segue.yaml").write_text(CONFIGURATION.format(folder=folder, url=emulator.url))
        (folder / "people.csv").write_text(people(range(20)))
        workspace = open_workspace(settings)
        apply_files(workspace, [folder / "segue.yaml"], environ={})
        runner = Runner(workspace=workspace, settings=settings, progress=Quiet(), stop=threading.Event())
        print(runner.run("People to Klaviyo").run.counts)  # noqa: T201
        (folder / "people.csv").write_text(people(range(1, 21)).replace("p1@mail.shop,Ana1,", "p1@mail.shop,Eva,"))
        print(runner.run("People to Klaviyo").run.counts)  # noqa: T201
        workspace.close()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((folder / "home").rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder / "home"))


def people(numbers: range) -> str:
    """A CSV file."""
    return "email,first_name,city\n" + "".join(f"p{i}@mail.shop,Ana{i},Graz\n" for i in numbers)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("workspace.zip"))
