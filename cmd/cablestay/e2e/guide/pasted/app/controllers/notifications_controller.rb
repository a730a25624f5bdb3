# app/controllers/notifications_controller.rb

class NotificationsController < ApplicationController
  def create
    @notification = current_user.sent_notifications.build(notification_params)
    
    if @notification.save
      # Broadcast to the recipient
      broadcast_notification(@notification)
      
      render json: { success: true }
    else
      render json: { errors: @notification.errors }, status: :unprocessable_entity
    end
  end
  
  private
  
  def notification_params
    params.require(:notification).permit(:recipient_id, :title, :body, :notification_type)
  end
  
  def broadcast_notification(notification)
    ActionCable.server.broadcast(
      "notifications_user_#{notification.recipient_id}",
      {
        type: 'notification',
        notification: {
          id: notification.id,
          title: notification.title,
          body: notification.body,
          notification_type: notification.notification_type,
          sender_id: notification.sender_id,
          sender_name: notification.sender.name,
          created_at: notification.created_at.iso8601
        }
      }
    )
  end
end
