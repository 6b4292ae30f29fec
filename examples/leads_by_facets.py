"""Look up a title and a company, build the search URL from them, and fetch the leads."""

import asyncio

from lix_async import AsyncLix, linkedin


async def main(lix: AsyncLix, title: str = "Software engineer", company: str = "Google") -> None:
    role = await lix.sales.facets(title, "TITLE").first()
    employer = await lix.sales.facets(company, "COMPANY_WITH_LIST").first()
    filters = [linkedin.current_title(role)] if role else []
    filters += [linkedin.current_company(employer)] if employer else []
    url = linkedin.lead_search(*filters)
    async for lead in lix.sales.leads(url, max_items=25):
        print(lead.name, "·", lead.description, "·", lead.sales_nav_link)


async def run() -> None:
    async with AsyncLix() as lix:
        await main(lix)


if __name__ == "__main__":
    asyncio.run(run())
