//! Folders that hold nothing but articles: no home page, no list that names them.

use super::tests::Sample;
use super::*;
use crate::demo::Skin;

fn alone(sample: &Sample, articles: &[usize]) -> Vec<Page> {
    let truths = sample.portal.expected();
    let page = |i: &usize| sample.page(&truths[*i].url, &sample.mapping);
    articles.iter().map(page).collect()
}

/// Five articles of each skin by themselves: they are known as articles of one template, and what holds their text is found.
#[test]
fn articles_alone_are_a_template() {
    let mut without = Vec::new();
    for skin in Skin::ALL {
        let sample = Sample::new(skin);
        let pages = alone(&sample, &[1, 5, 10, 18, 26]);
        let pages: Vec<&Page> = pages.iter().collect();
        let model = learn(&pages, &sample.mapping);
        let text = draft(&model, &sample.origin(), &std::collections::BTreeMap::new());
        Mapping::parse("draft.toml", &text).unwrap_or_else(|e| panic!("{text}\n{e:?}"));
        let article = model.templates.iter().find(|t| t.kind == Kind::Article);
        let article = article.unwrap_or_else(|| panic!("{}: {:?}", skin.name(), model.templates));
        assert!(article.pages >= 4, "{}: {}", skin.name(), article.pages);
        if article.article.is_none() {
            without.push(format!("{}: {:?}", skin.name(), article.why));
        }
    }
    assert!(without.len() <= 2, "{without:?}");
}

/// Two pages teach nothing, and the draft reads them all the same.
#[test]
fn two_articles_teach_nothing() {
    let sample = Sample::new(Skin::Joomla);
    let pages = alone(&sample, &[1, 5]);
    let model = learn(&pages.iter().collect::<Vec<_>>(), &sample.mapping);
    assert!(model.templates.iter().all(|t| t.article.is_none()), "{model:?}");
    let text = draft(&model, &sample.origin(), &std::collections::BTreeMap::new());
    let mapping = Mapping::parse("draft.toml", &text).unwrap();
    assert!(mapping.rules().collection.iter().any(|c| c.matches.rest));
}
