from chassis.settings import ServiceSettings


class Settings(ServiceSettings, env_prefix="FINANCE_LINK_"):
    """Settings of finance-link, read from FINANCE_LINK_…"""
