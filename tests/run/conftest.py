from study_fixtures import _clear_commit, folders, prepared_folder  # noqa: F401
