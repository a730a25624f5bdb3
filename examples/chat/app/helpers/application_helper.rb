# frozen_string_literal: true

module ApplicationHelper
  # A token for the page's own client, only where the browser will not send the cookie along:
  # the cable is on another host than the page.
  def cable_token_meta_tag
    cable_host = URI.parse(ActionCable.server.config.url.to_s).host
    return unless current_user && cable_host && cable_host != request.host

    tag.meta name: "cable-token", content: CableToken.issue(current_user)
  end
end
