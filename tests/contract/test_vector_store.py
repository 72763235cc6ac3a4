"""LangChain's own suites over our store and retriever."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import RetrieversIntegrationTests, VectorStoreIntegrationTests

from rag_agent.documents import Splitter
from rag_agent.index import Index, LibraryRetriever, MatrixVectorStore
from rag_agent.testing import CountEmbeddings


class TestMatrixVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self) -> Iterator[VectorStore]:
        yield MatrixVectorStore(self.get_embeddings())


class TestLibraryRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def index(self, tmp_path: Path) -> Iterator[None]:
        (tmp_path / "docs").mkdir()
        for name in "abcde":
            (tmp_path / "docs" / f"{name}.txt").write_text(f"The {name} stayed in orbit.", encoding="utf-8")
        self._index = Index(tmp_path / "docs", None, CountEmbeddings(), "counts", Splitter())
        self._index.update()
        yield
        self._index.close()

    @property
    def retriever_constructor(self) -> type[LibraryRetriever]:
        return LibraryRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"library": self._index}

    @property
    def retriever_query_example(self) -> str:
        return "orbit"


class StoreRetriever:
    """`as_retriever` hands `k` over in `search_kwargs`; the suite wants a constructor that takes it."""

    def __call__(self, k: int = 4) -> Any:
        store = MatrixVectorStore.from_texts([f"The {name} stayed in orbit." for name in "abcde"], CountEmbeddings())
        return store.as_retriever(search_kwargs={"k": k})


class TestStoreRetriever(RetrieversIntegrationTests):
    @property
    def retriever_constructor(self) -> Any:
        return StoreRetriever()

    @property
    def retriever_query_example(self) -> str:
        return "orbit"


# --- what the suites leave out ------------------------------------------------------------------------------------------


@pytest.fixture
async def store() -> AsyncIterator[MatrixVectorStore]:
    made = MatrixVectorStore(CountEmbeddings(["moon", "water", "rock"]))
    await made.aadd_documents(
        [
            Document("moon moon", id="1", metadata={"file": "a/moon.txt", "year": 1969}),
            Document("moon", id="2", metadata={"file": "a/other.md", "year": 1970}),
            Document("water", id="3", metadata={"source": "b/water.txt", "year": 1969}),
            Document("moon rock", id="4", metadata={"year": 1972}),
        ]
    )
    yield made


def ids(found: list[Document]) -> list[str | None]:
    return [document.id for document in found]


@pytest.mark.parametrize(
    ("filter", "wanted"),
    [
        ("a/*", ["1", "2"]),
        ("*.txt", ["1", "3"]),
        ({"year": 1969}, ["1", "3"]),
        ({"year": [1970, 1972]}, ["2", "4"]),
        ({"year": 1969, "source": "b/water.txt"}, ["3"]),
        ({"colour": None}, []),
        (lambda document: "rock" in document.page_content, ["4"]),
    ],
)
async def test_a_filter_lets_the_best_of_the_rest_through(store: MatrixVectorStore, filter: Any, wanted: list[str]) -> None:
    assert ids(store.similarity_search("moon", k=4, filter=filter)) == wanted
    assert ids(await store.asimilarity_search("moon", k=1, filter=filter)) == wanted[:1]
    assert ids(store.max_marginal_relevance_search("moon", k=4, filter=filter)) == wanted


async def test_a_filter_is_looked_for_in_any_depth() -> None:
    store = MatrixVectorStore(CountEmbeddings(["moon", "water"]))
    store.add_texts(["moon"] * 999 + ["moon water"], [{"n": n} for n in range(1000)])
    (found,) = store.similarity_search("moon", k=1, filter={"n": 999})
    assert found.page_content == "moon water"


async def test_scores_are_cosines(store: MatrixVectorStore) -> None:
    found = await store.asimilarity_search_with_score("moon", k=4, filter={"year": [1972, 1969]})
    assert [(document.id, score) for document, score in found] == [
        ("1", pytest.approx(1.0)), ("4", pytest.approx(0.5**0.5)), ("3", 0.0),
    ]  # fmt: skip


async def test_variety_comes_before_likeness_where_it_is_asked_for(store: MatrixVectorStore) -> None:
    assert ids(store.max_marginal_relevance_search("moon", k=2, lambda_mult=1.0)) == ["1", "2"]
    assert ids(await store.amax_marginal_relevance_search("moon", k=2, lambda_mult=0.1)) == ["1", "3"]


async def test_a_document_with_a_known_id_takes_the_place_of_the_former(store: MatrixVectorStore) -> None:
    store.add_documents([Document("water", id="1"), Document("rock", id="new"), Document("rock rock", id="new")])
    assert len(store) == 5
    assert [d.page_content for d in store.get_by_ids(["1", "new", "none"])] == ["water", "rock rock"]
    assert set(ids(store.similarity_search("water", k=2))) == {"1", "3"}


async def test_what_is_handed_out_may_be_changed(store: MatrixVectorStore) -> None:
    store.similarity_search("moon", k=1)[0].metadata["year"] = 0
    assert store.get_by_ids(["1"])[0].metadata["year"] == 1969


async def test_deleting_nothing_named_empties_the_store(store: MatrixVectorStore) -> None:
    await store.adelete()
    assert len(store) == 0
    assert store.similarity_search("moon") == []
    store.add_texts(["moon"])
    assert len(store.similarity_search("moon")) == 1


async def test_texts_and_ids_of_different_number_are_refused(store: MatrixVectorStore) -> None:
    with pytest.raises(ValueError, match="2 texts and 1 ids"):
        store.add_texts(["a", "b"], ids=["1"])
    with pytest.raises(ValueError, match="dimensions"):
        store.add_vectors([Document("x")], [[1.0, 2.0]])
    assert len(store) == 4
