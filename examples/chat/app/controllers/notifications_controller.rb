# frozen_string_literal: true

class NotificationsController < ApplicationController
  def index
    notifications = current_user.notifications.includes(:sender).order(id: :desc).limit(20)
    render json: { notifications: notifications.map(&:as_broadcast) }
  end

  def create
    notification = current_user.sent_notifications.build(notification_params)

    if notification.save
      ActionCable.server.broadcast(
        notification.recipient.notifications_broadcasting,
        { type: "notification", notification: notification.as_broadcast }
      )
      render json: { notification: notification.as_broadcast }, status: :created
    else
      render json: { errors: notification.errors.full_messages }, status: :unprocessable_entity
    end
  end

  private
    # Nobody is notified across organizations.
    def notification_params
      attributes = params.require(:notification).permit(:recipient_id, :title, :body, :notification_type)
      colleagues = User.where(organization_id: current_user.organization_id).where.not(organization_id: nil)
      attributes.except(:recipient_id).merge(recipient: colleagues.find_by(id: attributes[:recipient_id]))
    end
end
