# frozen_string_literal: true

# One message to everybody in the organization, in one batch.
class AnnouncementsController < ApplicationController
  def create
    return head :forbidden unless current_user.admin? && current_user.organization

    BroadcastService.broadcast_to_organization(
      current_user.organization,
      { type: "announcement", body: params.require(:body), user_name: current_user.name }
    )
    head :no_content
  end
end
