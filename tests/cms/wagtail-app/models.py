# What a Wagtail site needs so that `preset = "wagtail"` can deliver into it (docs/http-json.md): a page type whose
# fields are writable by the API, and a snippet for sections. `wagtail.sh` puts this in the place of home/models.py.
from django.db import models
from wagtail.admin.panels import FieldPanel
from wagtail.api import APIField
from wagtail.fields import RichTextField
from wagtail.models import Page
from wagtail.snippets.models import register_snippet


class HomePage(Page):
    pass


@register_snippet
class Section(models.Model):
    name = models.CharField(max_length=255)
    slug = models.SlugField(max_length=200, unique=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    panels = [FieldPanel("name"), FieldPanel("slug"), FieldPanel("parent")]
    api_fields = [APIField(n, writable=True) for n in ("name", "slug", "parent")]

    def __str__(self):
        return self.name


class ArticlePage(Page):
    written = (
        "legacy_key",
        "legacy_url",
        "published_on",
        "summary",
        "body_html",
        "section",
        "cover",
        "byline",
    )
    legacy_key = models.CharField(max_length=64, unique=True, null=True, blank=True)
    legacy_url = models.CharField(max_length=2000, blank=True)
    published_on = models.DateTimeField(null=True, blank=True)
    summary = models.TextField(blank=True)
    # A TextField keeps HTML as it is; rich text would unwrap tables and captions.
    body_html = models.TextField(blank=True)
    # Only for the test that shows what rich text does to a table.
    rich = RichTextField(blank=True)
    section = models.ForeignKey(Section, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    cover = models.ForeignKey(
        "wagtailimages.Image", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    byline = models.CharField(max_length=255, blank=True)
    content_panels = Page.content_panels + [FieldPanel(n) for n in (*written, "rich")]
    api_fields = [APIField(n, writable=True) for n in (*written, "rich")] + [
        APIField("live"),
        APIField("latest_revision_created_at"),
    ]
