# Applied once to a fresh `wagtail start cms proj`: the v3 API, SQLite (WAL) from the environment, loopback only.
import sys

root = sys.argv[1]
path = root + "/cms/settings/base.py"
text = open(path).read()
if "wagtail.api.v3" not in text:
    text = text.replace(
        "INSTALLED_APPS = [", 'INSTALLED_APPS = [\n    "wagtail.api.v2",\n    "wagtail.api.v3",\n    "ninja",', 1
    )
    text += """
import os
DATA_UPLOAD_MAX_MEMORY_SIZE = 10_485_760
DATABASES["default"]["NAME"] = os.environ.get("CMS_DB", DATABASES["default"]["NAME"])
DATABASES["default"]["OPTIONS"] = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
}
MEDIA_ROOT = os.environ.get("CMS_MEDIA", MEDIA_ROOT)
TIME_ZONE = "Asia/Ho_Chi_Minh"
ALLOWED_HOSTS = ["127.0.0.1"]
WAGTAILADMIN_BASE_URL = os.environ.get("CMS_URL", "http://127.0.0.1")
WAGTAILAPI_BASE_URL = WAGTAILADMIN_BASE_URL
WAGTAILDOCS_EXTENSIONS = [
    *WAGTAILDOCS_EXTENSIONS,
    "doc",
    "xls",
    "ppt",
    "rar",
]
"""
    open(path, "w").write(text)
path = root + "/cms/urls.py"
text = open(path).read()
if "api/v3" not in text:
    text = text.replace(
        "urlpatterns = [",
        'from wagtail.api.v3.urls import api\n\nurlpatterns = [\n    path("api/v3/", api.urls),',
        1,
    )
    open(path, "w").write(text)
