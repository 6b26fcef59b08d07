"""The names of elements: ONIX writes each in two ways, in words and as a short code."""

from collections.abc import Mapping

SHORT: Mapping[str, str] = {
    "a001": "RecordReference", "a002": "NotificationType",
    "b221": "ProductIDType", "b244": "IDValue", "b004": "ISBN", "b005": "EAN13",
    "b202": "TitleType", "x409": "TitleElementLevel", "b203": "TitleText", "b030": "TitlePrefix",
    "b031": "TitleWithoutPrefix", "b029": "Subtitle", "x410": "PartNumber", "b028": "DistinctiveTitle",
    "b018": "TitleOfSeries", "b019": "NumberWithinSeries", "x481": "CollectionSequenceNumber",
    "b023": "TitleOfSet", "b026": "ItemNumberWithinSet",
    "b035": "ContributorRole", "b036": "PersonName", "b037": "PersonNameInverted", "b047": "CorporateName",
    "b039": "NamesBeforeKey", "b247": "PrefixToKey", "b040": "KeyNames", "b041": "NamesAfterKey",
    "b248": "SuffixToKey",
    "x415": "NameIDType", "x417": "ContributorDateRole", "b049": "ContributorStatement",
    "b253": "LanguageRole", "b252": "LanguageCode", "b059": "LanguageOfText",
    "b218": "ExtentType", "b219": "ExtentValue", "b220": "ExtentUnit", "b061": "NumberOfPages",
    "b067": "SubjectSchemeIdentifier", "b069": "SubjectCode", "b070": "SubjectHeadingText",
    "b064": "BASICMainSubject", "b065": "BICMainSubject",
    "b057": "EditionNumber", "b058": "EditionStatement",
    "x426": "TextType", "d102": "TextTypeCode", "d104": "Text",
    "b079": "ImprintName", "b291": "PublishingRole", "b081": "PublisherName", "b209": "CityOfPublication",
    "x448": "PublishingDateRole", "b306": "Date", "j260": "DateFormat", "b003": "PublicationDate",
}  # fmt: skip  # a table is read by column
"""Short tags of elements that hold a value, and their reference names; the others differ in case alone."""
